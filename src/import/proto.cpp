// SPDX-License-Identifier: MIT
// The only user of protozero. Asserts of that library guard against reading a field as the wrong
// wire type, which input can cause; here each read is checked first, so they are never reached.
#include "import/proto.hpp"

#include <protozero/pbf_reader.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace migraphx::proto {

static_assert(std::endian::native == std::endian::little,
              "fixed-width fields are copied as they are");

namespace {

using varint_iterator = protozero::const_varint_iterator<std::uint64_t>;

wire_type to_wire_type(protozero::pbf_wire_type t) {
    switch (t) {
    case protozero::pbf_wire_type::fixed64:
        return wire_type::fixed64;
    case protozero::pbf_wire_type::length_delimited:
        return wire_type::bytes;
    case protozero::pbf_wire_type::fixed32:
        return wire_type::fixed32;
    default:
        return wire_type::varint;
    }
}

std::string field_text(std::uint32_t field) {
    return "field " + std::to_string(field);
}

// protozero keeps 32 bits of a length, so a length is checked in full before it is used.
void check_length(std::string_view rest, std::uint32_t field) {
    const char* p = rest.data();
    const char* const end = p + rest.size();
    const std::uint64_t length = protozero::decode_varint(&p, end);
    const auto left = static_cast<std::uint64_t>(end - p);
    if (length > left || length > std::numeric_limits<std::uint32_t>::max())
        throw wire_error(field_text(field) + ": expected " + std::to_string(length) +
                         " bytes, got " + std::to_string(left) + " until the end of the message");
}

void grow_for(std::size_t extra, auto& out) {
    const std::size_t need = out.size() + extra;
    if (need > out.capacity())
        out.reserve(std::max(need, 2 * out.capacity()));
}

void check_width(std::string_view payload, std::size_t width, std::uint32_t field) {
    if (payload.size() % width != 0)
        throw wire_error(field_text(field) + ": expected packed elements of " +
                         std::to_string(width) + " bytes, got " + std::to_string(payload.size()) +
                         " bytes");
}

template <class F>
void decode_packed(std::string_view payload, std::uint32_t field, F store) {
    try {
        const char* const end = payload.data() + payload.size();
        for (const char* p = payload.data(); p != end;)
            store(protozero::decode_varint(&p, end));
    } catch (const protozero::exception& e) {
        throw wire_error(field_text(field) + ": expected packed integers, got malformed bytes (" +
                         e.what() + ")");
    }
}

} // namespace

std::string_view to_string(wire_type t) {
    switch (t) {
    case wire_type::varint:
        return "an integer";
    case wire_type::fixed64:
        return "a 64-bit value";
    case wire_type::bytes:
        return "bytes";
    case wire_type::fixed32:
        return "a 32-bit value";
    }
    return "nothing";
}

bool reader::next() {
    if (m_rest.empty())
        return false;
    protozero::pbf_reader r{m_rest.data(), m_rest.size()};
    try {
        r.next();
        m_field = r.tag();
        m_wire = to_wire_type(r.wire_type());
        switch (m_wire) {
        case wire_type::varint:
            m_scalar = r.get_uint64();
            break;
        case wire_type::fixed64:
            m_scalar = r.get_fixed64();
            break;
        case wire_type::fixed32:
            m_scalar = r.get_fixed32();
            break;
        case wire_type::bytes: {
            check_length({r.data().data(), r.length()}, m_field);
            const auto view = r.get_view();
            m_bytes = {view.data(), view.size()};
            break;
        }
        }
    } catch (const protozero::exception& e) {
        throw wire_error("expected a field after " +
                         (m_field == 0 ? "the start of the message" : field_text(m_field)) +
                         ", got malformed bytes (" + e.what() + ")");
    }
    m_rest = {r.data().data(), r.length()};
    return true;
}

void reader::expect(wire_type t) const {
    if (m_wire != t)
        throw wire_error(field_text(m_field) + ": expected " + std::string(to_string(t)) +
                         ", got " + std::string(to_string(m_wire)));
}

std::string_view reader::bytes() const {
    expect(wire_type::bytes);
    return m_bytes;
}

std::int64_t reader::integer() const {
    expect(wire_type::varint);
    return static_cast<std::int64_t>(m_scalar);
}

std::int32_t reader::integer32() const {
    const std::int64_t x = integer();
    if (x < std::numeric_limits<std::int32_t>::min() ||
        x > std::numeric_limits<std::int32_t>::max())
        throw wire_error(field_text(m_field) + ": expected a 32-bit integer, got " +
                         std::to_string(x));
    return static_cast<std::int32_t>(x);
}

float reader::float32() const {
    expect(wire_type::fixed32);
    return std::bit_cast<float>(static_cast<std::uint32_t>(m_scalar));
}

void reader::copy_fixed(std::size_t width, char* out) const {
    expect(width == 4 ? wire_type::fixed32 : wire_type::fixed64);
    std::memcpy(out, &m_scalar, width);
}

void reader::append_to(std::vector<std::int64_t>& out) const {
    if (m_wire != wire_type::bytes) {
        out.push_back(integer());
        return;
    }
    grow_for(packed_varints(m_bytes), out);
    decode_packed(m_bytes, m_field,
                  [&](std::uint64_t x) { out.push_back(static_cast<std::int64_t>(x)); });
}

void reader::append_to(std::vector<float>& out) const {
    if (m_wire != wire_type::bytes) {
        out.push_back(float32());
        return;
    }
    check_width(m_bytes, sizeof(float), m_field);
    const std::size_t old = out.size();
    grow_for(m_bytes.size() / sizeof(float), out);
    out.resize(old + m_bytes.size() / sizeof(float));
    if (!m_bytes.empty())
        std::memcpy(out.data() + old, m_bytes.data(), m_bytes.size());
}

void count_fields(std::string_view message, std::span<std::size_t> counts) {
    for (reader r(message); r.next();)
        if (r.field() < counts.size())
            ++counts[r.field()];
}

std::size_t packed_varints(std::string_view payload) {
    return static_cast<std::size_t>(varint_iterator::distance(
        {payload.data(), payload.data() + payload.size()},
        {payload.data() + payload.size(), payload.data() + payload.size()}));
}

std::size_t count_elements(std::string_view message, std::uint32_t field, std::size_t width) {
    std::size_t n = 0;
    for (reader r(message); r.next();) {
        if (r.field() != field)
            continue;
        if (r.wire() != wire_type::bytes) {
            ++n;
        } else if (width == 0) {
            n += packed_varints(r.bytes());
        } else {
            check_width(r.bytes(), width, field);
            n += r.bytes().size() / width;
        }
    }
    return n;
}

void for_each_varint(std::string_view message, std::uint32_t field, store_varint store,
                     void* context) {
    for (reader r(message); r.next();) {
        if (r.field() != field)
            continue;
        if (r.wire() == wire_type::bytes)
            decode_packed(r.bytes(), field, [&](std::uint64_t x) { store(context, x); });
        else
            store(context, static_cast<std::uint64_t>(r.integer()));
    }
}

void copy_fixed(std::string_view message, std::uint32_t field, std::size_t width, char* out) {
    for (reader r(message); r.next();) {
        if (r.field() != field)
            continue;
        if (r.wire() == wire_type::bytes) {
            check_width(r.bytes(), width, field);
            if (!r.bytes().empty())
                std::memcpy(out, r.bytes().data(), r.bytes().size());
            out += r.bytes().size();
        } else {
            r.copy_fixed(width, out);
            out += width;
        }
    }
}

std::vector<std::string_view> all_bytes(std::string_view message, std::uint32_t field) {
    std::size_t n = 0;
    for (reader r(message); r.next();)
        n += r.field() == field ? 1 : 0;
    std::vector<std::string_view> result;
    result.reserve(n);
    for (reader r(message); r.next();)
        if (r.field() == field)
            result.push_back(r.bytes());
    return result;
}

} // namespace migraphx::proto
