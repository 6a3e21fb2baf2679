// SPDX-License-Identifier: MIT
// Folders that hold Python packages (site-packages). Libraries that pip installs lie in them, where
// the loader does not look.
#pragma once

#include <string>
#include <vector>

namespace migraphx {

/// The running interpreter's own come first: its module names them.
void add_package_folder(const std::string& folder);

/// Those named, the one this library is installed in, if any, and those of $VIRTUAL_ENV and of the
/// `python3` that $PATH finds. Only folders that exist, each once.
std::vector<std::string> package_folders();

} // namespace migraphx
