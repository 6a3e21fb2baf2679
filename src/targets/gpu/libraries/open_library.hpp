// SPDX-License-Identifier: MIT
// The vendors' libraries, opened at run time: the one place that knows what their files are called
// and where they may lie. Folders are tried in this order:
//   1. MIGRAPHX_CUDA_LIBRARIES, a list with ':' between (for HIP too);
//   2. what the process has loaded already, and the loader's own search (LD_LIBRARY_PATH,
//   ldconfig);
//   3. $CUDA_PATH, $CUDA_HOME, /usr/local/cuda, /usr/local/cuda-* ($ROCM_PATH, /opt/rocm*), in
//   lib64
//      and lib;
//   4. pip's packages: <site-packages>/nvidia/*/lib (base/package_folders.hpp says which those
//   are).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx::gpu {

/// Stays open for good, unless it is closed before it is used: threads and handlers of libraries
/// outlive every user.
class opened_library {
public:
    opened_library(void* h, std::string file) : handle(h), path(std::move(file)) {}

    /// The function `name` goes to `f`. Throws when there is none: the library is too old.
    template <class F>
    void find(F*& f, const char* name) const {
        f = reinterpret_cast<F*>(needed(name));
    }
    /// Null when there is none.
    template <class F>
    bool find_optional(F*& f, const char* name) const {
        f = reinterpret_cast<F*>(symbol(name));
        return f != nullptr;
    }
    void* symbol(const char* name) const;
    void* needed(const char* name) const;
    const std::string& file() const { return path; }
    void close();

private:
    void* handle;
    std::string path; ///< as the loader found it
};

enum class library { cuda, nvrtc, cublaslt, cudnn, hip, hiprtc, hipblaslt };

/// The library, opened at the first call; null when this machine has none that can be loaded.
/// Thread-safe.
const opened_library* find_library(library which);

/// The same, but throws error_kind::unsupported with `missing_library`.
const opened_library& open_library(library which);

/// One sentence: what is missing, what was tried, what helps.
std::string missing_library(library which);

/// Search in detail, for other files of the vendors: the first of `names` that loads, or null.
/// `problem`, if it is not null, gets what the loader said of files that exist but do not load.
std::unique_ptr<opened_library> search_library(const std::vector<std::string>& names,
                                               const std::vector<std::string>& folders,
                                               std::string* problem);

} // namespace migraphx::gpu
