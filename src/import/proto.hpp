// SPDX-License-Identifier: MIT
// Protocol-buffer wire format over memory that stays in place: a cursor over the fields of one
// message, and readers of packed numbers. The decoding library is seen by proto.cpp only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx::proto {

/// The bytes are not a well-formed message. The text names the field, not the file: readers add
/// that.
struct wire_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

enum class wire_type : std::uint8_t { varint, fixed64, bytes, fixed32 };

std::string_view to_string(wire_type t);

/// Walks the fields of one message in the order of the file. `next()` decodes one field; the
/// accessors then return its value, or throw wire_error when the field has another wire type. Views
/// point into the message.
class reader {
public:
    explicit reader(std::string_view message) : m_rest(message) {}

    /// False at the end of the message. Throws wire_error on malformed bytes and never reads past
    /// the end.
    bool next();

    std::uint32_t field() const { return m_field; }
    wire_type wire() const { return m_wire; }

    std::string_view bytes() const;
    std::int64_t integer() const;
    /// A varint that must fit 32 bits, as enumerations and int32 fields do.
    std::int32_t integer32() const;
    float float32() const;
    /// Copies a fixed32 (width 4) or fixed64 (width 8) value.
    void copy_fixed(std::size_t width, char* out) const;

    /// Appends a repeated field, which may be packed or one element at a time.
    void append_to(std::vector<std::int64_t>& out) const;
    void append_to(std::vector<float>& out) const;

private:
    void expect(wire_type t) const;

    std::string_view m_rest;
    std::string_view m_bytes;
    std::uint64_t m_scalar = 0;
    std::uint32_t m_field = 0;
    wire_type m_wire = wire_type::varint;
};

/// Adds to counts[f] how often field f occurs in the message; fields from counts.size() on are left
/// out.
void count_fields(std::string_view message, std::span<std::size_t> counts);

/// Number of varints in a packed payload.
std::size_t packed_varints(std::string_view payload);

/// Elements that a repeated number field has in the message, packed and unpacked occurrences
/// together. `width` is 4 or 8 for fixed32 and fixed64 elements and 0 for varints.
std::size_t count_elements(std::string_view message, std::uint32_t field, std::size_t width);

/// Calls `store(context, value)` for each element of a repeated varint field.
using store_varint = void (*)(void* context, std::uint64_t value);
void for_each_varint(std::string_view message, std::uint32_t field, store_varint store,
                     void* context);

/// Copies a repeated fixed32 (width 4) or fixed64 (width 8) field; `out` has room for all its
/// elements.
void copy_fixed(std::string_view message, std::uint32_t field, std::size_t width, char* out);

/// The payloads of a repeated bytes field.
std::vector<std::string_view> all_bytes(std::string_view message, std::uint32_t field);

} // namespace migraphx::proto
