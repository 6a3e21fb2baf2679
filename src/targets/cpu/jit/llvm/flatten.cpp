// SPDX-License-Identifier: MIT
// Lays out the allocated sections of an ELF object and applies its relocations, all of them
// relative to the program counter.

#include "targets/cpu/jit/llvm/flatten.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <span>
#include <string_view>

namespace migraphx::cpu::jit {
namespace {

struct object_file {
    const char* bytes;
    const Elf64_Ehdr* header;
    std::span<const Elf64_Shdr> sections;

    template <class T>
    std::span<const T> table(const Elf64_Shdr& section) const {
        return {reinterpret_cast<const T*>(bytes + section.sh_offset),
                std::size_t(section.sh_size) / sizeof(T)};
    }
    std::string_view text(const Elf64_Shdr& strings, std::size_t offset) const {
        return bytes + strings.sh_offset + offset;
    }
};

class flattener {
public:
    flattener(const object_file& f, std::string& reason)
        : file(f), why(reason), places(f.sections.size(), -1) {}

    std::vector<char> run(const std::string& function, std::size_t& entry) {
        for (std::size_t i = 0; i < file.sections.size(); ++i)
            place(i);
        for (const Elf64_Shdr& section : file.sections)
            if (section.sh_type == SHT_RELA and places[section.sh_info] >= 0 and
                not relocate(section))
                return {};
        if (not find(function, entry))
            return {};
        return std::move(image);
    }

private:
    const object_file& file;
    std::string& why;
    std::vector<int64_t> places; // of each section, -1 if left out
    std::vector<char> image;

    void place(std::size_t i) {
        const Elf64_Shdr& section = file.sections[i];
        const bool data = section.sh_type == SHT_PROGBITS and (section.sh_flags & SHF_ALLOC) != 0;
        if (not data or section.sh_size == 0)
            return;
        const auto unit = std::max<std::size_t>(section.sh_addralign, 1);
        const auto at = (image.size() + unit - 1) / unit * unit;
        image.resize(at + section.sh_size);
        std::memcpy(image.data() + at, file.bytes + section.sh_offset, section.sh_size);
        places[i] = int64_t(at);
    }

    bool relocate(const Elf64_Shdr& section) {
        const Elf64_Shdr& symbol_section = file.sections[section.sh_link];
        const auto symbols = file.table<Elf64_Sym>(symbol_section);
        for (const Elf64_Rela& r : file.table<Elf64_Rela>(section)) {
            const Elf64_Sym& symbol = symbols[ELF64_R_SYM(r.r_info)];
            const auto kind = ELF64_R_TYPE(r.r_info);
            const bool inside =
                symbol.st_shndx < file.sections.size() and places[symbol.st_shndx] >= 0;
            if (not inside or (kind != R_X86_64_PC32 and kind != R_X86_64_PLT32)) {
                why = "refers to '" +
                      std::string(file.text(file.sections[symbol_section.sh_link],
                                            symbol.st_name)) +
                      "' by relocation " + std::to_string(kind);
                return false;
            }
            const int64_t at = places[section.sh_info] + int64_t(r.r_offset);
            const int64_t to = places[symbol.st_shndx] + int64_t(symbol.st_value) + r.r_addend;
            const auto distance = int32_t(to - at);
            std::memcpy(image.data() + at, &distance, sizeof(distance));
        }
        return true;
    }

    bool find(const std::string& function, std::size_t& entry) {
        for (const Elf64_Shdr& section : file.sections) {
            if (section.sh_type != SHT_SYMTAB)
                continue;
            for (const Elf64_Sym& symbol : file.table<Elf64_Sym>(section))
                if (symbol.st_shndx < file.sections.size() and places[symbol.st_shndx] >= 0 and
                    file.text(file.sections[section.sh_link], symbol.st_name) == function) {
                    entry = std::size_t(places[symbol.st_shndx]) + symbol.st_value;
                    return true;
                }
        }
        why = "has no function '" + function + "'";
        return false;
    }
};

} // namespace

std::vector<char> flatten_object(const char* object, std::size_t size, const std::string& function,
                                 std::size_t& entry, std::string& why) {
    const auto* header = reinterpret_cast<const Elf64_Ehdr*>(object);
    if (size < sizeof(Elf64_Ehdr) or std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) {
        why = "is no ELF file";
        return {};
    }
    const object_file file{
        object, header, {reinterpret_cast<const Elf64_Shdr*>(object + header->e_shoff),
                         header->e_shnum}};
    return flattener(file, why).run(function, entry);
}

} // namespace migraphx::cpu::jit
