// SPDX-License-Identifier: MIT
#include <migraphx/common.hpp>
#include <migraphx/make_op.hpp>

#include <algorithm>

namespace migraphx {

std::vector<instruction_ref> insert_common_args(module& m, instruction_ref ins,
                                                std::vector<instruction_ref> inputs,
                                                common_options options) {
    if (inputs.empty())
        return inputs;
    const bool dynamic =
        std::any_of(inputs.begin(), inputs.end(), [](auto i) { return i->get_shape().dynamic(); });
    if (options.common_lens and dynamic) {
        const auto dims = compute_common_dyn_dims(to_shapes(inputs));
        auto first = inputs;
        inputs[0] = m.insert_instruction(
            ins, make_op("multibroadcast", {{"out_dyn_dims", to_value(dims)}}), first);
        for (std::size_t i = 1; i < inputs.size(); i++)
            inputs[i] = m.insert_instruction(
                ins, make_op("multibroadcast", {{"out_dyn_dims", to_value(dims)}}), inputs[i],
                inputs[0]);
    } else if (options.common_lens) {
        const auto lens = compute_common_lens(to_shapes(inputs));
        for (auto& in : inputs)
            if (in->get_shape().lens() != lens)
                in = m.insert_instruction(ins, make_op("multibroadcast", {{"out_lens", lens}}), in);
    }
    if (options.common_type) {
        const auto type = compute_common_types(to_shapes(inputs));
        for (auto& in : inputs)
            if (in->get_shape().type() != type)
                in = m.insert_instruction(ins, make_op("convert", {{"target_type", type}}), in);
    }
    return inputs;
}

std::vector<instruction_ref> add_common_args(module& m, std::vector<instruction_ref> inputs,
                                             common_options options) {
    return insert_common_args(m, m.insert_end(), std::move(inputs), options);
}

instruction_ref insert_common_op(module& m, instruction_ref ins, const operation& op,
                                 std::vector<instruction_ref> inputs, common_options options) {
    return m.insert_instruction(ins, op, insert_common_args(m, ins, std::move(inputs), options));
}

instruction_ref insert_common_op(module& m, instruction_ref ins, const std::string& op_name,
                                 std::vector<instruction_ref> inputs, common_options options) {
    return insert_common_op(m, ins, make_op(op_name), std::move(inputs), options);
}

instruction_ref add_common_op(module& m, const operation& op, std::vector<instruction_ref> inputs,
                              common_options options) {
    return insert_common_op(m, m.insert_end(), op, std::move(inputs), options);
}

instruction_ref add_common_op(module& m, const std::string& op_name,
                              std::vector<instruction_ref> inputs, common_options options) {
    return insert_common_op(m, m.insert_end(), make_op(op_name), std::move(inputs), options);
}

} // namespace migraphx
