// SPDX-License-Identifier: MIT
// Object code as one piece: the sections of an ELF file that a kernel needs, laid one after the
// other, with the distances between them filled in. It runs wherever it is copied to.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace migraphx::cpu::jit {

// The result is to be placed at an address that is a multiple of 64; `entry` is the offset of the
// function of that name. Empty, and `why`, if the file refers to anything outside.
std::vector<char> flatten_object(const char* object, std::size_t size, const std::string& function,
                                 std::size_t& entry, std::string& why);

} // namespace migraphx::cpu::jit
