// SPDX-License-Identifier: MIT
#include "targets/gpu/libraries/open_library.hpp"

#include <migraphx/errors.hpp>

#include "base/package_folders.hpp"
#include "base/settings.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <sstream>

#include <dlfcn.h>
#include <link.h>

namespace fs = std::filesystem;

namespace migraphx::gpu {

namespace {

// A target asks for libraries while this library is loaded, perhaps before its other statics are
// there.
const setting<std::string>& more_folders() {
    static const setting<std::string> folders{
        "MIGRAPHX_CUDA_LIBRARIES", "",
        "folders, ':' between them, where the gpu target looks for its libraries first"};
    return folders;
}
[[maybe_unused]] const auto& listed = more_folders();

struct library_facts {
    const char* title;
    bool of_driver;                 ///< comes with the driver, never with a toolkit
    bool of_cuda;                   ///< else of HIP
    std::vector<std::string> names; ///< newest interface first
    const char* remedy;
};

const library_facts& facts(library which) {
    static const std::array<library_facts, 7> all = {{
        {"the NVIDIA driver",
         true,
         true,
         {"libcuda.so.1"},
         "install the driver of the GPU, or start the container with the GPU in it"},
        {"NVRTC",
         false,
         true,
         {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"},
         "install the CUDA toolkit or pip's nvidia-cuda-nvrtc"},
        {"cuBLASLt",
         false,
         true,
         {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"},
         "install the CUDA toolkit or pip's nvidia-cublas"},
        {"cuDNN",
         false,
         true,
         {"libcudnn.so.9"},
         "install cuDNN 9 or pip's nvidia-cudnn-cu13 or nvidia-cudnn-cu12"},
        {"the HIP runtime",
         true,
         false,
         {"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5", "libamdhip64.so"},
         "install ROCm or DTK"},
        {"hiprtc",
         false,
         false,
         // A part of the runtime before ROCm 5.3.
         {"libhiprtc.so.7", "libhiprtc.so.6", "libhiprtc.so.5", "libhiprtc.so", "libamdhip64.so.5"},
         "install ROCm or DTK"},
        {"hipBLASLt",
         false,
         false,
         {"libhipblaslt.so.1", "libhipblaslt.so.0", "libhipblaslt.so"},
         "install ROCm or DTK"},
    }};
    return all[static_cast<std::size_t>(which)];
}

void add_toolkit(std::vector<std::string>& to, const fs::path& root) {
    std::error_code none;
    for (const auto* kind : {"lib64", "lib", "targets/x86_64-linux/lib", "targets/sbsa-linux/lib"})
        if (const auto folder = root / kind; fs::is_directory(folder, none))
            to.push_back(folder.string());
}

// Toolkits in `parent` whose names begin with `stem`, the newest first.
void add_toolkits(std::vector<std::string>& to, const fs::path& parent, const std::string& stem) {
    std::error_code none;
    std::vector<fs::path> roots;
    for (const auto& entry : fs::directory_iterator(parent, none))
        if (entry.path().filename().string().starts_with(stem))
            roots.push_back(entry.path());
    // "cuda" itself, which points to the machine's choice, is the shortest.
    std::sort(roots.begin(), roots.end(), [&](const fs::path& a, const fs::path& b) {
        const bool plain_a = a.filename() == stem;
        const bool plain_b = b.filename() == stem;
        return plain_a != plain_b ? plain_a : a > b;
    });
    for (const auto& root : roots)
        add_toolkit(to, root);
}

void add_pip(std::vector<std::string>& to) {
    std::error_code none;
    for (const auto& site : package_folders()) {
        std::vector<std::string> found;
        for (const auto& entry : fs::directory_iterator(fs::path(site) / "nvidia", none))
            if (const auto folder = entry.path() / "lib"; fs::is_directory(folder, none))
                found.push_back(folder.string());
        std::sort(found.begin(), found.end());
        to.insert(to.end(), found.begin(), found.end());
    }
}

std::vector<std::string> split_path(const std::string& text) {
    std::vector<std::string> folders;
    std::istringstream in(text);
    for (std::string folder; std::getline(in, folder, ':');)
        if (not folder.empty())
            folders.push_back(folder);
    return folders;
}

// The empty folder is the loader's own search.
std::vector<std::string> folders_of(const library_facts& f) {
    auto folders = split_path(more_folders().get());
    folders.emplace_back();
    if (f.of_driver and f.of_cuda)
        return folders;
    if (f.of_cuda) {
        for (const auto* variable : {"CUDA_PATH", "CUDA_HOME"})
            if (const char* root = std::getenv(variable))
                add_toolkit(folders, root);
        add_toolkits(folders, "/usr/local", "cuda");
        add_pip(folders);
    } else {
        for (const auto* variable : {"ROCM_PATH", "HIP_PATH", "DTKROOT"})
            if (const char* root = std::getenv(variable))
                add_toolkit(folders, root);
        add_toolkits(folders, "/opt", "rocm");
        add_toolkits(folders, "/opt", "dtk");
    }
    return folders;
}

std::string loaded_from(void* handle, const std::string& asked) {
    link_map* map = nullptr;
    const bool known = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 and map != nullptr;
    return known and map->l_name != nullptr and *map->l_name != 0 ? map->l_name : asked;
}

// NVRTC loads this part by its name alone, which finds it only if it is in the process already.
void load_builtins(const std::string& nvrtc) {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(fs::path(nvrtc).parent_path(), none))
        if (const auto name = entry.path().filename().string();
            name.starts_with("libnvrtc-builtins.so."))
            dlopen(entry.path().c_str(), RTLD_LAZY | RTLD_GLOBAL);
}

// A machine often has an older cuDNN than the one that pip brought, and newer ones know more
// kernels. A process that has one already keeps to it.
std::unique_ptr<opened_library> newest_cudnn(const library_facts& f, std::string* problem) {
    const auto* name = f.names.front().c_str();
    if (void* loaded = dlopen(name, RTLD_NOW | RTLD_NOLOAD))
        return std::make_unique<opened_library>(loaded, loaded_from(loaded, name));
    std::unique_ptr<opened_library> best;
    std::size_t best_version = 0;
    const auto given = split_path(more_folders().get());
    for (const auto& folder : folders_of(f)) {
        auto found = search_library(f.names, {folder}, problem);
        std::size_t (*version)() = nullptr;
        if (found == nullptr)
            continue;
        if (found->find_optional(version, "cudnnGetVersion") and version() > best_version) {
            best_version = version();
            std::swap(best, found);
        }
        // Whoever asks for cuDNN by name, PyTorch among them, gets what is loaded first.
        if (found != nullptr)
            found->close();
        if (std::find(given.begin(), given.end(), folder) != given.end())
            break;
    }
    return best;
}

struct found_library {
    std::once_flag once;
    std::unique_ptr<opened_library> is;
    std::string problem;
};

found_library& found(library which) {
    static auto* all = new std::array<found_library, 7>;
    auto& slot = (*all)[static_cast<std::size_t>(which)];
    std::call_once(slot.once, [&] {
        const auto& f = facts(which);
        // cuDNN opens these by name when it first needs them.
        if (which == library::cudnn) {
            find_library(library::nvrtc);
            find_library(library::cublaslt);
        }
        slot.is = which == library::cudnn ? newest_cudnn(f, &slot.problem)
                                          : search_library(f.names, folders_of(f), &slot.problem);
        if (which == library::nvrtc and slot.is != nullptr)
            load_builtins(slot.is->file());
    });
    return slot;
}

} // namespace

void opened_library::close() {
    dlclose(handle);
    handle = nullptr;
}

void* opened_library::symbol(const char* name) const {
    return dlsym(handle, name);
}

void* opened_library::needed(const char* name) const {
    void* s = symbol(name);
    if (s == nullptr)
        fail(error_kind::unsupported, path + ": a version with the function " + name +
                                          " was expected, got one without; a newer one helps");
    return s;
}

std::unique_ptr<opened_library> search_library(const std::vector<std::string>& names,
                                               const std::vector<std::string>& folders,
                                               std::string* problem) {
    std::error_code none;
    for (const auto& folder : folders)
        for (const auto& name : names) {
            const auto path = folder.empty() ? name : folder + "/" + name;
            if (not folder.empty() and not fs::exists(path, none))
                continue;
            if (void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL))
                return std::make_unique<opened_library>(handle, loaded_from(handle, path));
            const char* said = dlerror();
            // Of a bare name, "no such file" is no news.
            if (problem != nullptr and problem->empty() and said != nullptr and
                (not folder.empty() or
                 std::string_view(said).find("cannot open shared object file: No such file") ==
                     std::string_view::npos))
                *problem = said;
        }
    return nullptr;
}

const opened_library* find_library(library which) {
    return found(which).is.get();
}

std::string missing_library(library which) {
    const auto& f = facts(which);
    const auto& problem = found(which).problem;
    auto text = "gpu: " + std::string(f.title) + " (" + f.names.front() + ") was expected, ";
    if (problem.empty())
        text += f.of_driver ? "got no such library"
                            : "got none in the loader's path, in a toolkit or in Python's packages";
    else
        text += "got one that does not load: " + problem;
    return text + "; " + f.remedy +
           (f.of_driver ? "" : ", or name its folder in MIGRAPHX_CUDA_LIBRARIES");
}

const opened_library& open_library(library which) {
    const auto* lib = find_library(which);
    if (lib == nullptr)
        fail(error_kind::unsupported, missing_library(which));
    return *lib;
}

} // namespace migraphx::gpu
