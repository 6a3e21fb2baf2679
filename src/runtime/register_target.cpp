// SPDX-License-Identifier: MIT
#include <migraphx/errors.hpp>
#include <migraphx/register_target.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

#include <dlfcn.h>

namespace migraphx {

namespace {

struct registry {
    std::recursive_mutex mutex; // loading a library registers its target
    std::map<std::string, target> targets;
};

registry& known() {
    static auto* r = new registry;
    return *r;
}

constexpr const char* loadable[] = {"cpu", "gpu", "null"};

// The library that holds a target: its own, but for `null`, which is the gpu target's pipeline.
std::string library_of(const std::string& target) {
    return "libmigraphx_" + (target == "null" ? std::string("gpu") : target) + ".so";
}

// The folder this library lies in: its targets are installed beside it.
std::string library_folder() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&library_folder), &info) == 0 or
        info.dli_fname == nullptr)
        return "";
    return std::filesystem::path(info.dli_fname).parent_path().string();
}

bool is_plain_name(const std::string& name) {
    return not name.empty() and std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) or c == '_';
    });
}

// A library may be there and have no target on this machine (a gpu without its driver); then its
// function of this name says why, as a sentence.
constexpr const char* why_missing = "migraphx_missing_target";

// Loads the library of a target. Gives the words of the loader, or the library's own, when that
// does not give the target.
std::string load_library(const std::string& name) {
    if (not is_plain_name(name))
        return "that is no target's name";
    const auto file = library_of(name);
    std::string first_error;
    for (const auto& path : {library_folder() + "/" + file, file}) {
        if (void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
            using sentence_of = const char*(const char* target);
            auto* sentence = reinterpret_cast<sentence_of*>(dlsym(handle, why_missing));
            return sentence == nullptr ? "" : sentence(name.c_str());
        }
        const char* error = dlerror();
        if (first_error.empty() and error != nullptr)
            first_error = error;
    }
    return "loading it failed: " + first_error;
}

} // namespace

void register_target(const target& t) {
    auto& r = known();
    std::lock_guard lock(r.mutex);
    r.targets[t.name()] = t;
}

void unregister_target(const std::string& name) {
    auto& r = known();
    std::lock_guard lock(r.mutex);
    r.targets.erase(name);
}

target make_target(const std::string& name) {
    auto& r = known();
    std::lock_guard lock(r.mutex);
    auto it = r.targets.find(name);
    if (it != r.targets.end())
        return it->second;
    const auto error = load_library(name);
    it = r.targets.find(name);
    if (it != r.targets.end())
        return it->second;
    std::string names;
    for (const auto& n : get_targets())
        names += (names.empty() ? "" : ", ") + n;
    fail(error_kind::invalid_argument,
         "target '" + name + "': one of the targets that this machine has was expected (" + names +
             ")" + (error.empty() ? "" : "; " + error));
}

std::vector<std::string> get_targets() {
    auto& r = known();
    std::lock_guard lock(r.mutex);
    for (const auto* name : loadable)
        if (not r.targets.contains(name) and
            std::filesystem::exists(library_folder() + "/" + library_of(name)))
            load_library(name);
    std::vector<std::string> names;
    for (const auto& item : r.targets)
        names.push_back(item.first);
    return names;
}

} // namespace migraphx
