// SPDX-License-Identifier: MIT
// tmp_dir: a fresh private directory that is removed, with its content, by the destructor.
#ifndef MIGRAPHX_GUARD_TMP_DIR_HPP
#define MIGRAPHX_GUARD_TMP_DIR_HPP

#include <migraphx/filesystem.hpp>
#include <string_view>

namespace migraphx {

struct tmp_dir {
    fs::path path;

    explicit tmp_dir(std::string_view prefix = "");
    tmp_dir(const tmp_dir&) = delete;
    tmp_dir& operator=(const tmp_dir&) = delete;
    tmp_dir(tmp_dir&& other) noexcept;
    tmp_dir& operator=(tmp_dir&&) = delete;
    ~tmp_dir();
};

} // namespace migraphx
#endif
