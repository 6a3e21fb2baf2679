// SPDX-License-Identifier: MIT
// NVRTC and hiprtc, which differ in their functions' names, in options and in what they make:
// cubin with PTX beside it, or a code object. The declarations are our own; the libraries are
// opened at run time.
#include <migraphx/errors.hpp>

#include "base/str.hpp"
#include "targets/gpu/compiler/compiler.hpp"
#include "targets/gpu/compiler/compilers.hpp"
#include "targets/gpu/libraries/open_library.hpp"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

namespace migraphx::gpu {

namespace {

using rtc_program = void*;
using rtc_status = int; // 0: good

// nvrtc.h and hiprtc.h declare these alike.
struct rtc_functions {
    const char* (*error_string)(rtc_status);
    rtc_status (*version)(int* major, int* minor);
    rtc_status (*create)(rtc_program*, const char* source, const char* name, int headers,
                         const char* const* texts, const char* const* names);
    rtc_status (*destroy)(rtc_program*);
    rtc_status (*compile)(rtc_program, int count, const char* const* options);
    rtc_status (*log_size)(rtc_program, std::size_t*);
    rtc_status (*log)(rtc_program, char*);
    rtc_status (*code_size)(rtc_program, std::size_t*);
    rtc_status (*code)(rtc_program, char*);
    // NVRTC only; those of the architectures since 11.2.
    rtc_status (*ptx_size)(rtc_program, std::size_t*) = nullptr;
    rtc_status (*ptx)(rtc_program, char*) = nullptr;
    rtc_status (*architecture_count)(int*) = nullptr;
    rtc_status (*architectures)(int*) = nullptr;
};

using size_function = rtc_status (*)(rtc_program, std::size_t*);
using text_function = rtc_status (*)(rtc_program, char*);

std::string text_of(rtc_program p, size_function size, text_function get) {
    std::size_t bytes = 0;
    if (size(p, &bytes) != 0 or bytes == 0)
        return {};
    std::string text(bytes, '\0');
    if (get(p, text.data()) != 0)
        return {};
    return text;
}

struct rtc_compiler : source_compiler {
    explicit rtc_compiler(library l, std::string stem) : which(l), prefix(std::move(stem)) {}

    std::string version() override {
        if (find_library(which) == nullptr)
            return {};
        int major = 0, minor = 0;
        functions().version(&major, &minor);
        return str(prefix, ' ', major, '.', minor);
    }

    object_code compile(const std::string& text, const std::string&,
                        const device_properties& on) override {
        return compile_with(text, options_for(text, on), on);
    }

protected:
    virtual std::vector<std::string> options_for(const std::string& text,
                                                 const device_properties& on) = 0;
    virtual void find_more(const opened_library&, rtc_functions&) {}

    object_code compile_with(const std::string& text, const std::vector<std::string>& options,
                             const device_properties& on) {
        const auto& f = functions();
        std::vector<const char*> list;
        for (const auto& o : options)
            list.push_back(o.c_str());
        rtc_program p = nullptr;
        check(f.create(&p, text.c_str(), "generated.cu", 0, nullptr, nullptr), "create a program");
        const struct guard {
            const rtc_functions& f;
            rtc_program& p;
            ~guard() { f.destroy(&p); }
        } destroyed{f, p};
        const auto status = f.compile(p, static_cast<int>(list.size()), list.data());
        if (status != 0)
            fail(error_kind::internal,
                 str("generated code does not compile for ", on.architecture, " (",
                     f.error_string(status), "); the source is kept in ", keep_failed_source(text),
                     "\n", text_of(p, f.log_size, f.log).c_str()));
        object_code made;
        made.image = text_of(p, f.code_size, f.code);
        if (f.ptx != nullptr)
            made.portable = text_of(p, f.ptx_size, f.ptx);
        if (made.image.empty()) // for an architecture that the compiler does not know
            made.image = made.portable;
        if (made.image.empty())
            fail(error_kind::internal,
                 str(prefix, ": code for ", on.architecture, " was expected, got none"));
        return made;
    }

    const rtc_functions& functions() {
        std::call_once(once, [&] {
            const auto& lib = open_library(which);
            const auto find = [&](auto& f, const char* name) {
                lib.find(f, (prefix + name).c_str());
            };
            find(all.error_string, "GetErrorString");
            find(all.version, "Version");
            find(all.create, "CreateProgram");
            find(all.destroy, "DestroyProgram");
            find(all.compile, "CompileProgram");
            find(all.log_size, "GetProgramLogSize");
            find(all.log, "GetProgramLog");
            find_more(lib, all);
        });
        return all;
    }

    const library which;
    const std::string prefix;

private:
    void check(rtc_status status, const char* what) {
        if (status != 0)
            fail(error_kind::internal,
                 str(prefix, ": cannot ", what, ": ", functions().error_string(status)));
    }

    std::once_flag once;
    rtc_functions all = {};
};

// Whether only the assembler can say that PTX is good: assembly that the source spells out, or
// arrays (of parameters, shared or local memory) that may go beyond what a kernel can have.
bool needs_assembler(const std::string& ptx) {
    if (ptx.find("inline asm") != std::string::npos)
        return true;
    constexpr std::size_t surely_good = 4096;
    std::size_t bytes = 0;
    for (auto at = ptx.find(" .b8 "); at != std::string::npos; at = ptx.find(" .b8 ", at + 1)) {
        const auto open = ptx.find_first_of("[;,\n", at);
        if (open != std::string::npos and ptx[open] == '[')
            bytes += std::strtoull(ptx.c_str() + open + 1, nullptr, 10);
    }
    return bytes > surely_good;
}

struct nvrtc_compiler : rtc_compiler {
    nvrtc_compiler() : rtc_compiler(library::nvrtc, "nvrtc") {}

    std::string form() override { return "c++17"; }

    void find_more(const opened_library& lib, rtc_functions& f) override {
        lib.find(f.code_size, "nvrtcGetCUBINSize");
        lib.find(f.code, "nvrtcGetCUBIN");
        lib.find(f.ptx_size, "nvrtcGetPTXSize");
        lib.find(f.ptx, "nvrtcGetPTX");
        lib.find_optional(f.architecture_count, "nvrtcGetNumSupportedArchs");
        lib.find_optional(f.architectures, "nvrtcGetSupportedArchs");
    }

    std::vector<std::string> options_for(const std::string& text,
                                         const device_properties& on) override {
        return {"--gpu-architecture=" + target_for(on) + suffix_for(text, on), "--std=c++17", "-w"};
    }

    // Hopper's own instructions are in no other architecture.
    static const char* suffix_for(const std::string& text, const device_properties& on) {
        return on.capability == 90 and text.find(own_architecture) != std::string::npos ? "a" : "";
    }

    void check(const std::string& text, const device_properties& on) {
        std::vector<std::string> options{
            str("--gpu-architecture=compute_", on.capability, suffix_for(text, on)), "--std=c++17",
            "-w"};
        int major = 0, minor = 0;
        functions().version(&major, &minor);
        if (major >= 13) // earlier ones may not know it
            options.emplace_back("--Ofast-compile=max");
        if (needs_assembler(compile_with(text, options, on).portable))
            compile(text, text, on);
    }

    // Of a GPU that is newer than the compiler: PTX for the newest one that the compiler knows.
    std::string target_for(const device_properties& on) {
        const auto& f = functions();
        int count = 0;
        if (f.architecture_count != nullptr and f.architectures != nullptr and
            f.architecture_count(&count) == 0 and count > 0) {
            std::vector<int> known(static_cast<std::size_t>(count));
            f.architectures(known.data());
            const auto newest = *std::max_element(known.begin(), known.end());
            if (on.capability > newest)
                return str("compute_", newest);
        }
        return on.architecture;
    }
};

struct hiprtc_compiler : rtc_compiler {
    hiprtc_compiler() : rtc_compiler(library::hiprtc, "hiprtc") {}

    std::string form() override { return "c++17 O3"; }

    void find_more(const opened_library& lib, rtc_functions& f) override {
        lib.find(f.code_size, "hiprtcGetCodeSize");
        lib.find(f.code, "hiprtcGetCode");
    }
    std::vector<std::string> options_for(const std::string&, const device_properties& on) override {
        return {"--offload-arch=" + on.architecture, "-std=c++17", "-O3", "-w"};
    }
};

nvrtc_compiler& the_nvrtc() {
    static nvrtc_compiler c;
    return c;
}

} // namespace

source_compiler& nvrtc() {
    return the_nvrtc();
}

void check_with_nvrtc(const std::string& text, const device_properties& on) {
    the_nvrtc().check(text, on);
}

source_compiler& hiprtc() {
    static hiprtc_compiler c;
    return c;
}

} // namespace migraphx::gpu
