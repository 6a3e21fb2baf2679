// SPDX-License-Identifier: MIT
// MessagePack in both directions. No other file sees msgpack-cxx.
#include <migraphx/msgpack.hpp>

#include "base/str.hpp"

#include <algorithm>
#include <limits>
#include <migraphx/bit_cast.hpp>
#include <msgpack.hpp>

namespace migraphx {
namespace {

constexpr std::size_t msgpack_depth_limit = 512;
constexpr std::size_t largest_chunk = 0xfffffffeu;
// Bytes from this size on start at a multiple of `data_alignment` in the output, so that a mapped
// file's weights are used where they lie.
constexpr std::size_t aligned_from = 256;
constexpr std::size_t data_alignment = 64;

struct msgpack_sink {
    const std::function<void(const char*, std::size_t)>& writer;
    std::string pending;
    std::size_t written = 0;

    void write(const char* bytes, std::size_t n) {
        written += n;
        if (n >= 4096) {
            flush();
            writer(bytes, n);
            return;
        }
        pending.append(bytes, n);
        if (pending.size() >= 65536)
            flush();
    }
    void flush() {
        if (not pending.empty())
            writer(pending.data(), pending.size());
        pending.clear();
    }
};

using msgpack_packer = msgpack::packer<msgpack_sink>;

std::uint32_t msgpack_count(std::size_t n, const char* what) {
    if (n > std::numeric_limits<std::uint32_t>::max())
        fail(error_kind::unsupported,
             str("MessagePack: expected ", what, " below 4 Gi items, got ", n));
    return static_cast<std::uint32_t>(n);
}

// Always as float64: pack_double would turn whole numbers into integers.
void pack_float(msgpack_sink& sink, double x) {
    auto bits = bit_cast<std::uint64_t>(x);
    char bytes[9] = {static_cast<char>(0xcb)};
    for (std::size_t i = 8; i > 0; --i, bits >>= 8)
        bytes[i] = static_cast<char>(bits & 0xff);
    sink.write(bytes, sizeof(bytes));
}

void pack_text(msgpack_packer& p, const std::string& s) {
    p.pack_str(msgpack_count(s.size(), "a text"));
    p.pack_str_body(s.data(), static_cast<std::uint32_t>(s.size()));
}

// Empty chunks (of 5, 3 and 2 bytes) that move what follows `position`, an array's header of one
// byte and `header` bytes to the alignment.
std::vector<std::string_view> padding_chunks(std::size_t position, std::size_t header) {
    using namespace std::string_view_literals;
    std::size_t n = (data_alignment - (position + 1 + header) % data_alignment) % data_alignment;
    if (n == 1)
        n += data_alignment;
    std::vector<std::string_view> chunks;
    while (n > 0) {
        const std::size_t take = n == 5 or n > 6 ? 5 : n == 3 or n == 6 ? 3 : 2;
        chunks.push_back("\xc6\0\0\0\0"sv);
        if (take < 5)
            chunks.back() = take == 3 ? "\xc5\0\0"sv : "\xc4\0"sv;
        n -= take;
    }
    return chunks;
}

void pack_bytes(msgpack_packer& p, msgpack_sink& sink, const value::binary& b) {
    const std::size_t chunks =
        std::max<std::size_t>(1, (b.size() + largest_chunk - 1) / largest_chunk);
    std::vector<std::string_view> padding;
    if (b.size() >= aligned_from)
        padding = padding_chunks(sink.written, b.size() < 65536 ? 3 : 5);
    p.pack_array(msgpack_count(padding.size() + chunks, "chunks"));
    for (const auto& empty : padding)
        sink.write(empty.data(), empty.size());
    for (std::size_t i = 0; i < chunks; ++i) {
        const std::size_t n = std::min(largest_chunk, b.size() - i * largest_chunk);
        p.pack_bin(static_cast<std::uint32_t>(n));
        p.pack_bin_body(reinterpret_cast<const char*>(b.data()) + i * largest_chunk,
                        static_cast<std::uint32_t>(n));
    }
}

void pack_value(msgpack_packer& p, msgpack_sink& sink, const value& v) {
    switch (v.get_type()) {
    case value::null_type:
        p.pack_nil();
        break;
    case value::bool_type:
        v.get_bool() ? p.pack_true() : p.pack_false();
        break;
    case value::int64_type:
        p.pack_int64(v.get_int64());
        break;
    case value::uint64_type:
        p.pack_uint64(v.get_uint64());
        break;
    case value::float_type:
        pack_float(sink, v.get_float());
        break;
    case value::string_type:
        pack_text(p, v.get_string());
        break;
    case value::binary_type:
        pack_bytes(p, sink, v.get_binary());
        break;
    case value::array_type:
        p.pack_array(msgpack_count(v.size(), "an array"));
        for (const auto& x : v)
            pack_value(p, sink, x);
        break;
    case value::object_type:
        p.pack_map(msgpack_count(v.size(), "an object"));
        for (const auto& x : v) {
            pack_text(p, x.get_key());
            pack_value(p, sink, x);
        }
        break;
    }
}

// Builds the value from events of the parser. Sizes announced by the data are never trusted: memory
// grows with the items that really come.
class msgpack_builder : public msgpack::null_visitor {
public:
    msgpack_builder(const char* start, const char* stop, const std::shared_ptr<const void>& keep)
        : first(start), last(stop), owner(keep) {}

    value result;
    std::string error;

    bool visit_nil() { return add({}); }
    bool visit_boolean(bool x) { return add(value(x)); }
    bool visit_positive_integer(std::uint64_t x) { return add(value(x)); }
    bool visit_negative_integer(std::int64_t x) { return add(value(x)); }
    bool visit_float32(float x) { return add(value(x)); }
    bool visit_float64(double x) { return add(value(x)); }
    bool visit_str(const char* s, std::uint32_t n) { return add(value(std::string_view(s, n))); }
    bool visit_bin(const char* bytes, std::uint32_t n) {
        if (not frames.empty() and not frames.back().map and frames.back().items.empty()) {
            frames.back().chunks.emplace_back(bytes, n);
            return true;
        }
        return add(value(make_binary(bytes, n)));
    }
    bool visit_ext(const char*, std::uint32_t) { return refuse("an extension type"); }

    bool start_array(std::uint32_t n) { return start(n, false); }
    bool start_map(std::uint32_t n) { return start(n, true); }
    bool end_array() {
        auto& top = frames.back();
        if (not top.chunks.empty()) {
            value joined = join(top.chunks);
            frames.pop_back();
            return add(std::move(joined));
        }
        value v(std::move(top.items), true);
        frames.pop_back();
        return add(std::move(v));
    }
    bool end_map() {
        value v(std::move(frames.back().items), false);
        frames.pop_back();
        return add(std::move(v));
    }
    bool start_map_key() {
        frames.back().at_key = true;
        return true;
    }
    bool end_map_key() {
        frames.back().at_key = false;
        return true;
    }

    void parse_error(std::size_t, std::size_t offset) {
        if (error.empty())
            error = str("malformed bytes at offset ", offset);
    }
    void insufficient_bytes(std::size_t, std::size_t offset) {
        if (error.empty())
            error = str("the end of the data at offset ", offset);
    }

private:
    struct frame {
        bool map = false;
        bool at_key = false;
        std::string key;
        value::array items;
        std::vector<std::string_view> chunks;
    };

    bool refuse(const char* what) {
        error = what;
        return false;
    }

    bool start(std::uint32_t n, bool map) {
        if (frames.size() >= msgpack_depth_limit) {
            error = str("nesting deeper than ", msgpack_depth_limit);
            return false;
        }
        // Each item takes at least one byte, each pair of a map two.
        if (static_cast<std::size_t>(last - first) / (map ? 2 : 1) < n)
            return refuse("a size larger than the data");
        frames.push_back(frame{map, false, {}, {}, {}});
        return true;
    }

    bool add(value&& v) {
        if (frames.empty()) {
            result = std::move(v);
            return true;
        }
        auto& top = frames.back();
        if (not top.map) {
            if (not top.chunks.empty())
                return refuse("an array that mixes binary chunks and other items");
            top.items.push_back(std::move(v));
            return true;
        }
        if (top.at_key) {
            if (not v.is_string() or v.get_string().empty())
                return refuse("a map key that is no text");
            top.key = v.get_string();
            return true;
        }
        top.items.emplace_back(top.key, std::move(v));
        return true;
    }

    value::binary make_binary(const char* bytes, std::size_t n) const {
        return owner == nullptr ? value::binary(bytes, n) : value::binary(owner, bytes, n);
    }

    value join(const std::vector<std::string_view>& chunks) const {
        std::size_t n = 0;
        for (const auto& c : chunks)
            n += c.size();
        for (const auto& c : chunks)
            if (c.size() == n)
                return value(make_binary(c.data(), n));
        value::binary all(n);
        auto* out = all.data();
        for (const auto& c : chunks)
            out = std::copy(c.begin(), c.end(), out);
        return value(std::move(all));
    }

    const char* first;
    const char* last;
    const std::shared_ptr<const void>& owner;
    std::vector<frame> frames;
};

} // namespace

void to_msgpack(const value& v, std::function<void(const char*, std::size_t)> writer) {
    msgpack_sink sink{writer, {}};
    msgpack_packer p(sink);
    pack_value(p, sink, v);
    sink.flush();
}

std::vector<char> to_msgpack(const value& v) {
    std::vector<char> out;
    to_msgpack(v,
               [&](const char* bytes, std::size_t n) { out.insert(out.end(), bytes, bytes + n); });
    return out;
}

value from_msgpack(std::shared_ptr<const void> owner, const char* buffer, std::size_t size) {
    msgpack_builder builder(buffer, buffer + size, owner);
    std::size_t offset = 0;
    bool complete = false;
    if (size > 0)
        complete = msgpack::parse(buffer, size, offset, builder);
    if (size == 0)
        builder.error = "no data";
    else if (complete and offset != size)
        builder.error = str(size - offset, " bytes after the message");
    if (not complete or not builder.error.empty())
        fail(error_kind::invalid_argument,
             str("MessagePack: expected one complete message without extension types, got ",
                 builder.error.empty() ? std::string("malformed data") : builder.error));
    return std::move(builder.result);
}

value from_msgpack(const char* buffer, std::size_t size) {
    return from_msgpack(nullptr, buffer, size);
}

value from_msgpack(const std::vector<char>& buffer) {
    return from_msgpack(buffer.data(), buffer.size());
}

} // namespace migraphx
