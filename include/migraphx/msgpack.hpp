// SPDX-License-Identifier: MIT
// MessagePack form of values. A binary is an array of bin chunks of at most 2^32 - 2 bytes (a plain
// bin is read as well).
#ifndef MIGRAPHX_GUARD_MSGPACK_HPP
#define MIGRAPHX_GUARD_MSGPACK_HPP

#include <cstddef>
#include <functional>
#include <memory>
#include <migraphx/value.hpp>
#include <vector>

namespace migraphx {

// Calls writer(bytes, count) with consecutive parts.
void to_msgpack(const value& v, std::function<void(const char*, std::size_t)> writer);
std::vector<char> to_msgpack(const value& v);

// Throws when the bytes are no single complete message, hold extension types, or nest deeper than
// 512.
value from_msgpack(const std::vector<char>& buffer);
value from_msgpack(const char* buffer, std::size_t size);
// The same, but binaries refer to the buffer, which `owner` keeps alive, instead of copying.
value from_msgpack(std::shared_ptr<const void> owner, const char* buffer, std::size_t size);

} // namespace migraphx
#endif
