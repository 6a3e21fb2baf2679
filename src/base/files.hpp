// SPDX-License-Identifier: MIT
// Files: read-only memory maps, and writing that either replaces the whole file or leaves the old
// one.
#ifndef MIGRAPHX_GUARD_BASE_FILES_HPP
#define MIGRAPHX_GUARD_BASE_FILES_HPP

#include <cstddef>
#include <memory>
#include <migraphx/file_buffer.hpp>
#include <migraphx/tmp_dir.hpp>
#include <string>
#include <string_view>

namespace migraphx {

// A regular file mapped read-only; throws when it cannot be opened or mapped. An empty file has
// size 0.
class mapped_file {
public:
    explicit mapped_file(const fs::path& filename);
    mapped_file(const mapped_file&) = delete;
    mapped_file& operator=(const mapped_file&) = delete;
    ~mapped_file();

    const char* data() const { return bytes; }
    std::size_t size() const { return count; }
    const fs::path& path() const { return name; }
    std::string_view view() const { return {bytes, count}; }

    // Lets the system drop the pages inside this part; they are read again when touched.
    void advise_dontneed(std::size_t offset, std::size_t n) const;
    void advise_dontneed() const { advise_dontneed(0, count); }
    // The part will be read soon.
    void advise_willneed(std::size_t offset, std::size_t n) const;

private:
    fs::path name;
    const char* bytes = nullptr;
    std::size_t count = 0;
};

std::shared_ptr<const mapped_file> map_file(const fs::path& filename);

// For memory whose content has been copied elsewhere: where it lies in a mapped file, its pages are
// dropped as by advise_dontneed; any other memory is left alone.
void drop_mapped_pages(const char* bytes, std::size_t n);

// Writes beside the file and renames in commit(); without it the destructor removes what was
// written. Devices and pipes are written directly.
class file_writer {
public:
    explicit file_writer(const fs::path& filename);
    file_writer(const file_writer&) = delete;
    file_writer& operator=(const file_writer&) = delete;
    ~file_writer();

    void write(const char* bytes, std::size_t n);
    void write(std::string_view text) { write(text.data(), text.size()); }
    void commit();

private:
    void flush();
    void write_through(const char* bytes, std::size_t n);
    [[noreturn]] void fail_with_errno(const char* what) const;

    fs::path target;
    fs::path written;
    std::string pending;
    int fd = -1;
    bool direct = false;
};

} // namespace migraphx
#endif
