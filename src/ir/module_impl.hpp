// SPDX-License-Identifier: MIT
#pragma once

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

#include <list>
#include <string>
#include <unordered_map>

namespace migraphx {

struct module_impl {
    std::list<instruction> instructions;
    std::string name;
    uint32_t next_parameter = 0;
    bool bypass = false;

    instruction_ref insert(instruction_ref pos, instruction ins) {
        instruction_ref ref =
            std::list<instruction>::iterator(instructions.insert(pos, std::move(ins)));
        instruction::backreference(ref);
        return ref;
    }
};

/// Copies one instruction as it is (no shape inference) in front of `pos`; operands and modules
/// that are in the maps are replaced.
instruction_ref copy_instruction(module& to, instruction_ref pos, instruction_ref ins,
                                 const module::instruction_map& map_ins,
                                 const std::unordered_map<module_ref, module_ref>& map_mods);

struct module_access {
    /// Parameters added to a copy are numbered on from those of the original.
    template <class Map>
    static void copy_parameter_counters(const Map& from, Map& to) {
        for (auto& item : to)
            item.second.impl->next_parameter = from.at(item.first).impl->next_parameter;
    }
    /// Declares all parameters of `m` anew, in this order.
    static void order_parameters(module& m, const std::vector<instruction_ref>& params);
};

} // namespace migraphx
