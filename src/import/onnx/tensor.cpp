// SPDX-License-Identifier: MIT
// Elements of tensors as they are stored in a model: in the raw field, in a typed field, or in
// another file.
#include "import/onnx/tensor.hpp"
#include "import/onnx/external.hpp"
#include "import/proto.hpp"
#include "import/quote.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <string>

namespace migraphx::onnx {

namespace {

enum class storage : std::uint8_t { none, floats, int32s, int64s, doubles, uint64s };

struct element_row {
    element_type type;
    const char* name;
    std::uint8_t bits;
    storage typed; // the typed field that may hold the elements
    bool is_signed;
};

constexpr element_row element_rows[] = {
    {element_type::float32, "float", 32, storage::floats, true},
    {element_type::uint8, "uint8", 8, storage::int32s, false},
    {element_type::int8, "int8", 8, storage::int32s, true},
    {element_type::uint16, "uint16", 16, storage::int32s, false},
    {element_type::int16, "int16", 16, storage::int32s, true},
    {element_type::int32, "int32", 32, storage::int32s, true},
    {element_type::int64, "int64", 64, storage::int64s, true},
    {element_type::string, "string", 0, storage::none, false},
    {element_type::boolean, "bool", 8, storage::int32s, false},
    {element_type::float16, "float16", 16, storage::int32s, true},
    {element_type::float64, "double", 64, storage::doubles, true},
    {element_type::uint32, "uint32", 32, storage::uint64s, false},
    {element_type::uint64, "uint64", 64, storage::uint64s, false},
    {element_type::complex64, "complex64", 64, storage::floats, true},
    {element_type::complex128, "complex128", 128, storage::doubles, true},
    {element_type::bfloat16, "bfloat16", 16, storage::int32s, true},
    {element_type::float8e4m3fn, "float8e4m3fn", 8, storage::int32s, true},
    {element_type::float8e4m3fnuz, "float8e4m3fnuz", 8, storage::int32s, true},
    {element_type::float8e5m2, "float8e5m2", 8, storage::int32s, true},
    {element_type::float8e5m2fnuz, "float8e5m2fnuz", 8, storage::int32s, true},
    {element_type::uint4, "uint4", 4, storage::int32s, false},
    {element_type::int4, "int4", 4, storage::int32s, true},
    {element_type::float4e2m1, "float4e2m1", 4, storage::int32s, true},
    {element_type::float8e8m0, "float8e8m0", 8, storage::int32s, false},
    {element_type::uint2, "uint2", 2, storage::int32s, false},
    {element_type::int2, "int2", 2, storage::int32s, true},
    {element_type::float6e2m3, "float6e2m3", 6, storage::none, true},
    {element_type::float6e3m2, "float6e3m2", 6, storage::none, true},
};

// Fields of TensorProto.
constexpr std::uint32_t float_field = 4;
constexpr std::uint32_t int32_field = 5;
constexpr std::uint32_t string_field = 6;
constexpr std::uint32_t int64_field = 7;
constexpr std::uint32_t double_field = 10;
constexpr std::uint32_t uint64_field = 11;

const element_row* find_row(element_type t) {
    const auto* const it = std::find_if(std::begin(element_rows), std::end(element_rows),
                                        [t](const element_row& r) { return r.type == t; });
    return it == std::end(element_rows) ? nullptr : it;
}

[[noreturn]] void invalid_tensor(const std::string& text) {
    fail(error_kind::invalid_argument, "tensor: " + text);
}

// The number of bytes an error is about.
std::string bytes_text(std::size_t n) {
    return std::to_string(n) + " bytes";
}

std::size_t checked_product(std::size_t a, std::size_t b, const char* what) {
    std::size_t result = 0;
    if (__builtin_mul_overflow(a, b, &result))
        invalid_tensor(std::string("expected ") + what + " that fits 64 bits, got more");
    return result;
}

std::size_t product_of(const std::vector<std::int64_t>& dims) {
    for (const std::int64_t d : dims)
        if (d < 0)
            invalid_tensor("expected dims of at least 0, got " + std::to_string(d));
    if (std::find(dims.begin(), dims.end(), 0) != dims.end())
        return 0;
    std::size_t n = 1;
    for (const std::int64_t d : dims)
        n = checked_product(n, static_cast<std::size_t>(d), "a number of elements");
    return n;
}

// Fresh memory aligned for any kernel.
struct buffer {
    explicit buffer(std::size_t n)
        : memory(::operator new(std::max<std::size_t>(n, 1), alignment),
                 [](void* p) { ::operator delete(p, alignment); }),
          size(n) {}

    char* data() const { return static_cast<char*>(memory.get()); }
    static constexpr std::align_val_t alignment{64};

    std::shared_ptr<void> memory;
    std::size_t size;
};

void adopt(tensor_bytes& out, const buffer& b) {
    out.bytes = {b.data(), b.size};
    out.owner = b.memory;
    out.is_view = false;
}

std::uint64_t parse_number(std::string_view text, const char* what, std::uint64_t otherwise) {
    if (text.empty())
        return otherwise;
    std::uint64_t result = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
    if (error != std::errc{} || end != text.data() + text.size())
        invalid_tensor(std::string("expected an unsigned number as the ") + what +
                       " of its external data, got " + in_quotes(text));
    return result;
}

struct stored_bytes {
    std::string_view bytes;
    std::shared_ptr<const void> owner;
    std::shared_ptr<const mapped_file> file; // null when the bytes are in other memory
};

stored_bytes external_bytes(const model& m, const tensor& t, std::size_t size) {
    const auto file = m.from->external->open(t.external.location);
    const std::uint64_t offset = parse_number(t.external.offset, "offset", 0);
    const std::uint64_t length = parse_number(t.external.length, "length", size);
    if (length != size)
        invalid_tensor("expected " + bytes_text(size) +
                       " of external data as type and dims say, got " + bytes_text(length));
    if (offset > file->size() || length > file->size() - offset)
        invalid_tensor("expected " + bytes_text(length) + " at offset " + std::to_string(offset) +
                       " of " + in_quotes(t.external.location) + ", got a file of " +
                       bytes_text(file->size()));
    return {file->view().substr(offset, length), file, file};
}

bool has_only_bools(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](char c) { return (c & ~1) == 0; });
}

// Small copies are not worth the system call.
constexpr std::size_t large_copy = std::size_t{1} << 20;

void take_stored(tensor_bytes& out, const stored_bytes& from, std::size_t alignment) {
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(from.bytes.data()) % alignment == 0;
    const bool is_valid = out.type != element_type::boolean || has_only_bools(from.bytes);
    if ((is_aligned && is_valid) || from.bytes.empty()) {
        out.bytes = from.bytes;
        out.owner = from.owner;
        out.is_view = true;
        return;
    }
    const buffer b(from.bytes.size());
    if (is_valid)
        std::memcpy(b.data(), from.bytes.data(), from.bytes.size());
    else
        std::transform(from.bytes.begin(), from.bytes.end(), b.data(),
                       [](char c) { return c != 0 ? 1 : 0; });
    adopt(out, b);
    if (from.file != nullptr && from.bytes.size() >= large_copy)
        from.file->advise_dontneed(static_cast<std::size_t>(from.bytes.data() - from.file->data()),
                                   from.bytes.size());
}

// Writes varints as integers of a given width; bool elements become 0 or 1.
struct narrow_writer {
    char* out;
    std::size_t width;
    bool is_bool;
    std::int64_t least;
    std::int64_t most;

    static void store(void* context, std::uint64_t value) {
        auto& w = *static_cast<narrow_writer*>(context);
        const auto x = static_cast<std::int64_t>(value);
        if (w.width < 8 && (x < w.least || x > w.most))
            invalid_tensor("expected elements between " + std::to_string(w.least) + " and " +
                           std::to_string(w.most) + ", got " + std::to_string(x));
        const std::uint64_t bits = w.is_bool ? std::uint64_t{x != 0} : value;
        std::memcpy(w.out, &bits, w.width);
        w.out += w.width;
    }
};

// A typed field stores several entries for a complex number and one for several packed small
// elements.
void take_typed(tensor_bytes& out, const tensor& t, const element_row& row, std::size_t size) {
    if (row.typed == storage::none)
        fail(error_kind::unsupported,
             "tensor: expected raw or external data for elements of type " + std::string(row.name) +
                 ", got a typed field");
    const bool is_fixed = row.typed == storage::floats || row.typed == storage::doubles;
    const std::size_t entry = row.typed == storage::floats    ? 4
                              : row.typed == storage::doubles ? 8
                              : row.bits < 8                  ? 1
                                                              : row.bits / 8U;
    const std::uint32_t field = row.typed == storage::floats    ? float_field
                                : row.typed == storage::doubles ? double_field
                                : row.typed == storage::int32s  ? int32_field
                                : row.typed == storage::int64s  ? int64_field
                                                                : uint64_field;
    const std::size_t expected = size / entry;
    const std::size_t found = proto::count_elements(t.message, field, is_fixed ? entry : 0);
    if (found != expected)
        invalid_tensor("expected " + std::to_string(expected) + " values in field " +
                       std::to_string(field) + " as type " + row.name + " and dims say, got " +
                       std::to_string(found));
    const buffer b(size);
    if (is_fixed) {
        proto::copy_fixed(t.message, field, entry, b.data());
    } else {
        // Bit patterns are met both as signed and as unsigned numbers.
        const auto bits = static_cast<int>(8 * entry);
        const std::int64_t half = bits < 64 ? std::int64_t{1} << (bits - 1) : 0;
        narrow_writer w{b.data(), entry, row.type == element_type::boolean, -half, 2 * half - 1};
        proto::for_each_varint(t.message, field, &narrow_writer::store, &w);
    }
    adopt(out, b);
}

tensor_bytes read_elements(const model& m, const tensor& t, std::size_t alignment) {
    const element_row* const row = find_row(t.type);
    if (row == nullptr || row->bits == 0)
        fail(error_kind::unsupported,
             "tensor: expected elements of a numeric type, got type " + type_name(t.type));
    if (t.is_segment)
        fail(error_kind::unsupported, "tensor: expected all elements together, got a segment");
    tensor_bytes out;
    out.type = t.type;
    out.elements = element_count(t);
    const std::size_t size = byte_size(t.type, out.elements);
    if (alignment == 0)
        alignment = row->bits <= 8 ? 1 : std::min<std::size_t>(row->bits / 8U, 8);
    if (t.is_external) {
        take_stored(out, external_bytes(m, t, size), alignment);
    } else if (t.has_raw && !(t.raw.empty() && size != 0)) {
        if (t.raw.size() != size)
            invalid_tensor("expected " + bytes_text(size) + " of raw data as type " + row->name +
                           " and dims say, got " + bytes_text(t.raw.size()));
        take_stored(out, {t.raw, m.from->owner, m.from->file}, alignment);
    } else if (size != 0) {
        take_typed(out, t, *row, size);
    }
    return out;
}

// Runs f; its errors name the tensor and the file.
template <class F>
auto about_tensor(const model& m, const tensor& t, F f) {
    try {
        try {
            return f();
        } catch (const proto::wire_error& e) {
            invalid_tensor(e.what());
        } catch (const std::bad_alloc&) {
            fail(error_kind::io, "tensor: expected memory for its elements, got none");
        }
    } catch (exception& e) {
        e.add_context(t.name.empty() ? "in a tensor without a name"
                                     : "in tensor " + in_quotes(t.name));
        e.add_context("while reading " + m.from->name);
        throw;
    }
}

} // namespace

std::string type_name(element_type t) {
    if (t == element_type::undefined)
        return "undefined";
    const element_row* const row = find_row(t);
    return row != nullptr ? row->name : std::to_string(static_cast<std::int32_t>(t));
}

std::size_t bit_width(element_type t) {
    const element_row* const row = find_row(t);
    if (row == nullptr || row->bits == 0)
        fail(error_kind::unsupported, "element type: expected a numeric type, got " + type_name(t));
    return row->bits;
}

std::size_t byte_size(element_type t, std::size_t n) {
    const std::size_t bits = bit_width(t);
    if (bits >= 8)
        return checked_product(n, bits / 8, "a size in bytes");
    return n / 8 * bits + (n % 8 * bits + 7) / 8;
}

std::size_t element_count(const tensor& t) {
    return product_of(t.dims);
}

tensor_bytes tensor_data(const model& m, const tensor& t, std::size_t alignment) {
    return about_tensor(m, t, [&] { return read_elements(m, t, alignment); });
}

std::vector<std::string_view> tensor_strings(const model& m, const tensor& t) {
    return about_tensor(m, t, [&] {
        if (t.type != element_type::string)
            invalid_tensor("expected elements of type string, got type " + type_name(t.type));
        const std::size_t n = element_count(t);
        auto result = proto::all_bytes(t.message, string_field);
        if (result.size() != n)
            invalid_tensor("expected " + std::to_string(n) + " strings as dims say, got " +
                           std::to_string(result.size()));
        return result;
    });
}

tensor_bytes unpack_bits(const tensor_bytes& packed) {
    const std::size_t bits = bit_width(packed.type);
    if (bits != 2 && bits != 4)
        invalid_tensor("expected elements of two or four bits, got type " + type_name(packed.type));
    if (packed.bytes.size() != byte_size(packed.type, packed.elements))
        invalid_tensor("expected " + std::to_string(8 / bits) + " elements a byte, got " +
                       std::to_string(packed.elements) + " in " + bytes_text(packed.bytes.size()));
    const buffer b(packed.elements);
    const std::size_t per_byte = 8 / bits;
    for (std::size_t i = 0; i < packed.elements; ++i) {
        const auto all = static_cast<unsigned char>(packed.bytes[i / per_byte]);
        b.data()[i] = static_cast<char>((all >> (i % per_byte * bits)) & ((1U << bits) - 1));
    }
    tensor_bytes out;
    out.type = packed.type;
    out.elements = packed.elements;
    adopt(out, b);
    return out;
}

tensor_bytes to_dense(const model& m, const sparse_tensor& t, std::size_t limit) {
    return about_tensor(m, t.values, [&] {
        const tensor_bytes values = read_elements(m, t.values, 0);
        const std::size_t n = product_of(t.dims);
        const std::size_t width = bit_width(values.type) / 8;
        if (width == 0)
            invalid_tensor("expected sparse elements of at least 8 bits, got type " +
                           type_name(values.type));
        const std::size_t size = byte_size(values.type, n);
        if (size > limit)
            invalid_tensor("expected a dense size of at most " + bytes_text(limit) + ", got " +
                           bytes_text(size));
        if (t.indices.type != element_type::int64)
            invalid_tensor("expected sparse indices of type int64, got type " +
                           type_name(t.indices.type));
        const std::size_t rank = t.dims.size();
        const bool is_linear = t.indices.dims.size() == 1;
        const std::size_t per_value = is_linear ? 1 : rank;
        const tensor_bytes indices = read_elements(m, t.indices, 1);
        if (indices.elements != checked_product(values.elements, per_value, "a number of indices"))
            invalid_tensor("expected " + std::to_string(per_value) + " indices for each of " +
                           std::to_string(values.elements) + " values, got " +
                           std::to_string(indices.elements));
        const buffer b(size);
        std::memset(b.data(), 0, size);
        for (std::size_t i = 0; i < values.elements; ++i) {
            std::size_t at = 0;
            for (std::size_t k = 0; k < per_value; ++k) {
                std::int64_t index = 0;
                std::memcpy(&index, indices.bytes.data() + (i * per_value + k) * sizeof(index),
                            sizeof(index));
                const std::size_t end = is_linear ? n : static_cast<std::size_t>(t.dims[k]);
                if (index < 0 || static_cast<std::size_t>(index) >= end)
                    invalid_tensor("expected sparse indices below " + std::to_string(end) +
                                   ", got " + std::to_string(index));
                at = at * end + static_cast<std::size_t>(index);
            }
            std::memcpy(b.data() + at * width, values.bytes.data() + i * width, width);
        }
        tensor_bytes out;
        out.type = values.type;
        out.elements = n;
        adopt(out, b);
        return out;
    });
}

} // namespace migraphx::onnx
