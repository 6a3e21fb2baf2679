// SPDX-License-Identifier: MIT
// Tensors of a model as arguments of the engine.
#include "import/onnx/tensor_argument.hpp"
#include "import/quote.hpp"

#include <migraphx/errors.hpp>

#include <utility>
#include <vector>

namespace migraphx::onnx {

namespace {

argument make_argument(const tensor_bytes& data, const std::vector<std::int64_t>& dims) {
    const auto type = to_shape_type(data.type);
    if (!type)
        fail(error_kind::unsupported,
             "tensor: expected an element type of the engine, got " + type_name(data.type));
    const std::vector<std::size_t> lens(dims.begin(), dims.end());
    const shape s = lens.empty() ? shape{*type} : shape{*type, lens};
    return {s, std::shared_ptr<const char>(data.owner, data.bytes.data())};
}

argument about_argument(const model& m, std::string_view name, auto f) {
    return with_context(
        f, [&] { return "in tensor " + in_quotes(name) + ", while reading " + m.from->name; });
}

} // namespace

std::optional<shape::type_t> to_shape_type(element_type t) {
    switch (t) {
    case element_type::float32:
        return shape::float_type;
    case element_type::uint8:
        return shape::uint8_type;
    case element_type::int8:
        return shape::int8_type;
    case element_type::uint16:
        return shape::uint16_type;
    case element_type::int16:
        return shape::int16_type;
    case element_type::int32:
        return shape::int32_type;
    case element_type::int64:
        return shape::int64_type;
    case element_type::boolean:
        return shape::bool_type;
    case element_type::float16:
        return shape::half_type;
    case element_type::float64:
        return shape::double_type;
    case element_type::uint32:
        return shape::uint32_type;
    case element_type::uint64:
        return shape::uint64_type;
    case element_type::bfloat16:
        return shape::bf16_type;
    case element_type::float8e4m3fn:
        return shape::fp8e4m3fn_type;
    case element_type::float8e4m3fnuz:
        return shape::fp8e4m3fnuz_type;
    case element_type::float8e5m2:
        return shape::fp8e5m2_type;
    case element_type::float8e5m2fnuz:
        return shape::fp8e5m2fnuz_type;
    case element_type::uint4:
        return shape::uint4_type;
    case element_type::int4:
        return shape::int4_type;
    case element_type::uint2:
        return shape::uint2_type;
    case element_type::int2:
        return shape::int2_type;
    case element_type::float4e2m1:
        return shape::fp4_type;
    case element_type::float8e8m0:
        return shape::fp8e8m0_type;
    case element_type::string:
        return shape::string_type;
    default:
        return std::nullopt;
    }
}

argument tensor_argument(const model& m, const tensor& t) {
    if (t.type == element_type::string)
        return about_argument(m, t.name, [&] {
            const auto values = tensor_strings(m, t);
            const std::vector<std::size_t> lens(t.dims.begin(), t.dims.end());
            const auto s =
                lens.empty() ? shape{shape::string_type} : shape{shape::string_type, lens};
            return string_argument(s, values);
        });
    const tensor_bytes data = tensor_data(m, t);
    return about_argument(m, t.name, [&] {
        return make_argument(bit_width(data.type) < 6 ? unpack_bits(data) : data, t.dims);
    });
}

argument tensor_argument(const model& m, const sparse_tensor& t) {
    const tensor_bytes data = to_dense(m, t);
    return about_argument(m, t.values.name, [&] { return make_argument(data, t.dims); });
}

} // namespace migraphx::onnx
