// SPDX-License-Identifier: MIT
// quantizelinear and dequantizelinear as pointwise formulas on the tile machine.
#include "codegen/nest.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lowering.hpp"
#include "targets/cpu/nest_plan.hpp"

namespace migraphx::cpu {

namespace {

using codegen::nest_builder;
using codegen::nest_operand;

std::string quantize_refusal(const problem& p) {
    for (const auto& s : p.inputs) {
        if (s.lens() != p.output.lens())
            return "operands of other dimensions";
        if (not s.computable())
            return "type " + s.type_string();
    }
    return p.output.computable() ? "" : "type " + p.output.type_string();
}

lowered finish_quantize(const problem& p, nest_builder& b) {
    return make_kernel("nest " + p.op.name(), 0,
                       [plan = compile_nest(b.finish(), kernels_isa(), chosen_nest_backend(),
                                            p.artifacts)](const kernel_args& args) {
                           run_nest(*plan, reinterpret_cast<const void* const*>(args.inputs),
                                    reinterpret_cast<void* const*>(args.outputs));
                       });
}

lowered quantize(const problem& p) {
    if (auto why = quantize_refusal(p); not why.empty())
        return lowered::refuse(why);
    const auto type = p.inputs[0].type();
    if ((type != shape::float_type and type != shape::half_type) or p.inputs[1].type() != type or
        not(shape::is_integral(p.output.type()) or p.output.type() == shape::fp8e4m3fn_type or
            p.output.type() == shape::fp8e5m2_type))
        return lowered::refuse("from " + p.inputs[0].type_string() + " to " +
                               p.output.type_string());
    nest_builder b{lens_of(p.output)};
    std::vector<int> in;
    for (const auto& s : p.inputs)
        in.push_back(b.input(s));
    const auto x = type == shape::float_type ? in[0] : b.convert(in[0], shape::float_type);
    const auto scale = type == shape::float_type ? in[1] : b.convert(in[1], shape::float_type);
    auto y = b.op("div", {nest_operand::reg(x), nest_operand::reg(scale)});
    if (shape::is_integral(p.output.type()))
        y = b.op("nearbyint", {nest_operand::reg(y)});
    if (in.size() == 3)
        y = b.op("add",
                 {nest_operand::reg(y), nest_operand::reg(b.convert(in[2], shape::float_type))});
    b.output(p.output, b.convert(y, p.output.type()));
    return finish_quantize(p, b);
}

lowered dequantize(const problem& p) {
    if (auto why = quantize_refusal(p); not why.empty())
        return lowered::refuse(why);
    const auto type = p.output.type();
    if (p.inputs[1].type() != type or shape::is_integral(type))
        return lowered::refuse("a scale of type " + p.inputs[1].type_string());
    nest_builder b{lens_of(p.output)};
    std::vector<int> in;
    for (const auto& s : p.inputs)
        in.push_back(b.input(s));
    auto x = b.convert(in[0], type);
    if (in.size() == 3)
        x = b.op("sub", {nest_operand::reg(x), nest_operand::reg(b.convert(in[2], type))}, type);
    b.output(p.output, b.op("mul", {nest_operand::reg(x), nest_operand::reg(in[1])}, type));
    return finish_quantize(p, b);
}

const implementations quantize_choices{{"quantizelinear"}, {{"nest", quantize}}};
const implementations dequantize_choices{{"dequantizelinear"}, {{"nest", dequantize}}};

} // namespace

} // namespace migraphx::cpu
