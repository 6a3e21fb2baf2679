// SPDX-License-Identifier: MIT
// convert and cast where a nest does not know the types or the rules, quantizelinear and
// dequantizelinear, packed pairs of 4-bit numbers: device_code/small_numbers.cuh.
#include "targets/gpu/lower/walk.hpp"

#include "base/str.hpp"
#include "ir/number_kinds.hpp"
#include "ops/type_field.hpp"

namespace migraphx::gpu {

namespace {

// Also of the types that are not computed with.
std::string number_type(shape::type_t t) {
    switch (t) {
    case shape::int4_type:
        return "int4_";
    case shape::uint4_type:
        return "uint4_";
    case shape::int2_type:
        return "int2_";
    case shape::uint2_type:
        return "uint2_";
    case shape::fp4_type:
        return "fp4";
    case shape::fp8e8m0_type:
        return "fp8e8m0";
    default:
        return device_type(t);
    }
}

std::string unknown_type(const device_problem& p) {
    for (const auto& s : p.inputs)
        if (number_type(s.type()).empty())
            return "type " + s.type_string();
    return number_type(p.output.type()).empty() ? "type " + p.output.type_string() : "";
}

lowered converted(const device_problem& p, const std::string& rule) {
    if (auto why = unknown_type(p); not why.empty())
        return lowered::refuse(why);
    const auto from = number_type(p.inputs[0].type()), to = number_type(p.output.type());
    box b{lens_of(p.output), {strides_of(p.output), strides_of(p.inputs[0])}};
    b.simplify();
    index_params params{b.is_large()};
    params.add(b);
    params.add(b.elements());
    params.add(int64_t{0});
    generated g;
    g.name = g.entry = p.op.name();
    g.entry = "convert_to";
    g.source = entry_text("small_numbers.cuh", g.entry,
                          str("const ", from, "* x, ", to, "* y, const copy_params<", b.rank(),
                              ", ", params.type(), "> p"),
                          str("convert_numbers(y, x, p, ", rule, ");"));
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    return make_generated(p, std::move(g));
}

lowered convert(const device_problem& p) {
    return converted(p, "convert_rule{}");
}

lowered cast(const device_problem& p) {
    return converted(p, str("cast_rule{", p.op.get<bool>("saturate") ? "true" : "false",
                            ", power_rounding::", p.op.get<std::string>("round_mode"), "}"));
}

lowered quantised(const device_problem& p, const std::string& call) {
    if (auto why = unknown_type(p); not why.empty())
        return lowered::refuse(why);
    for (const auto& s : p.inputs)
        if (s.lens() != p.output.lens())
            return lowered::refuse("operands of other dimensions");
    const bool zero = p.inputs.size() == 3;
    box b{lens_of(p.output),
          {strides_of(p.output), strides_of(p.inputs[0]), strides_of(p.inputs[1]),
           zero ? strides_of(p.inputs[2]) : sizes(p.output.ndim(), 0)}};
    b.simplify();
    index_params params{b.is_large()};
    params.add(b);
    params.add(b.elements());
    const auto [low, high] = number_limits(p.output.type());
    params.add_float(float(low));
    params.add_float(float(high));
    const auto pointer = [](const shape& s, const char* name) {
        return str("const ", number_type(s.type()), "* ", name, ", ");
    };
    generated g;
    g.name = p.op.name();
    g.entry = "quantise";
    g.source =
        entry_text("small_numbers.cuh", g.entry,
                   str(pointer(p.inputs[0], "x"), pointer(p.inputs[1], "scale"),
                       zero ? pointer(p.inputs[2], "zero") : "", number_type(p.output.type()),
                       "* y, const quantize_params<", b.rank(), ", ", params.type(), "> p"),
                   str(call, "(y, x, scale, ",
                       zero ? std::string("zero")
                            : str("static_cast<const ",
                                  number_type(p.op.name() == "quantizelinear" ? p.output.type()
                                                                              : p.inputs[0].type()),
                                  "*>(nullptr)"),
                       ", p);"));
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    return make_generated(p, std::move(g));
}

lowered quantize(const device_problem& p) {
    if (device_type(p.inputs[0].type()).empty())
        return lowered::refuse("type " + p.inputs[0].type_string());
    return quantised(p, str("quantize<", is_whole_number(p.output.type()) ? "true" : "false", ">"));
}

lowered dequantize(const device_problem& p) {
    if (device_type(p.output.type()).empty())
        return lowered::refuse("type " + p.output.type_string());
    return quantised(p, "dequantize");
}

// Bytes: the tensor with half as many elements.
lowered pairs(const device_problem& p, const shape& bytes, const shape& numbers,
              const std::string& small, bool unpacks) {
    const auto axis = p.op.get<std::size_t>("axis");
    const auto byte = bytes.type() == shape::int8_type ? "i8" : "u8";
    const auto type = device_type(numbers.type());
    if (type.empty())
        return lowered::refuse("type " + numbers.type_string());
    auto strides = strides_of(numbers);
    const auto step = strides[axis];
    strides[axis] *= 2;
    box b{lens_of(bytes), {strides_of(bytes), strides}};
    b.simplify();
    index_params params{b.is_large()};
    params.add(b);
    params.add(step);
    params.add(b.elements());
    generated g;
    g.name = p.op.name();
    g.entry = "pairs";
    const auto pointers = unpacks ? str("const ", byte, "* x, ", type, "* y")
                                  : str("const ", type, "* x, ", byte, "* y");
    g.source =
        entry_text("small_numbers.cuh", g.entry,
                   str(pointers, ", const pack_params<", b.rank(), ", ", params.type(), "> p"),
                   str(unpacks ? "unpack" : "pack", "_pairs<", small, ">(y, x, p);"));
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    return make_generated(p, std::move(g));
}

lowered pack_int4(const device_problem& p) {
    return pairs(p, p.output, p.inputs[0], p.output.type() == shape::int8_type ? "int4_" : "uint4_",
                 false);
}
lowered unpack_int4(const device_problem& p) {
    return pairs(p, p.inputs[0], p.output, p.output.type() == shape::int8_type ? "int4_" : "uint4_",
                 true);
}
lowered pack_fp4(const device_problem& p) {
    return pairs(p, p.output, p.inputs[0], "fp4", false);
}
lowered unpack_fp4(const device_problem& p) {
    return pairs(p, p.inputs[0], p.output, "fp4", true);
}

const implementations convert_choices{{"convert"}, {{"elements", convert}}};
const implementations cast_choices{{"cast"}, {{"elements", cast}}};
const implementations quantize_choices{{"quantizelinear"}, {{"elements", quantize}}};
const implementations dequantize_choices{{"dequantizelinear"}, {{"elements", dequantize}}};
const implementations pack_int4_choices{{"pack_int4"}, {{"pairs", pack_int4}}};
const implementations unpack_int4_choices{{"unpack_int4"}, {{"pairs", unpack_int4}}};
const implementations pack_fp4_choices{{"pack_fp4"}, {{"pairs", pack_fp4}}};
const implementations unpack_fp4_choices{{"unpack_fp4"}, {{"pairs", unpack_fp4}}};

} // namespace

} // namespace migraphx::gpu
