// SPDX-License-Identifier: MIT
// A node of the graph: an operation, its operands and its output shape.
#ifndef MIGRAPHX_INSTRUCTION_HPP
#define MIGRAPHX_INSTRUCTION_HPP

#include <migraphx/instruction_ref.hpp>
#include <migraphx/literal.hpp>
#include <migraphx/module_ref.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/shape.hpp>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace migraphx {

/// Output shape of `op` for these operands; throws with the operator's name and the shapes.
shape compute_shape(const operation& op, const std::vector<instruction_ref>& args);
shape compute_shape(const operation& op, const std::vector<instruction_ref>& args,
                    const std::vector<module_ref>& mods);
std::vector<shape> to_shapes(const std::vector<instruction_ref>& args);
std::vector<shape> try_compute_shape(const operation& op, const std::vector<shape>& inputs);

struct instruction {
    instruction() = default;
    instruction(operation o, shape r, std::vector<instruction_ref> args);
    instruction(operation o, shape r, std::vector<instruction_ref> args,
                std::vector<module_ref> modules);
    explicit instruction(literal l);

    const shape& get_shape() const { return result; }
    /// The value of an `@literal`; throws for another instruction.
    const literal& get_literal() const;
    const operation& get_operator() const { return op; }
    std::string name() const { return op.name(); }

    const std::vector<instruction_ref>& inputs() const { return arguments; }
    const std::vector<module_ref>& module_inputs() const { return module_args; }
    /// Instructions that use this one, also those in sub-modules; each once.
    const std::vector<instruction_ref>& outputs() const { return output; }

    const std::set<std::string>& get_debug_symbols() const { return debug_symbols; }
    void add_debug_symbols(const std::set<std::string>& symbols);
    void remove_debug_symbols() { debug_symbols.clear(); }

    friend bool operator==(const instruction& x, const instruction& y);
    friend bool operator!=(const instruction& x, const instruction& y) { return not(x == y); }
    friend bool operator==(const instruction& x, const instruction_ref& y) { return &x == &*y; }

    /// Everything it depends on is constant and it has a reference evaluation.
    bool can_eval() const;
    bool is_undefined() const;
    /// Value of a constant instruction. `check_eval`: return an empty argument instead of throwing
    /// when it is not constant.
    argument eval(bool check_eval = true) const;

    std::size_t get_target_id() const { return target_id; }
    void set_target_id(std::size_t id) { target_id = id; }
    bool is_normalized() const { return normalized; }
    void set_normalized(bool b = true) { normalized = b; }
    bool need_normalization() const { return op.need_normalization() and not normalized; }
    operation normalized_operator() const;

    /// Operands exist, are linked both ways and the stored shape is the one the operator computes.
    bool valid(instruction_ref start, bool check_order = false) const;
    bool valid() const;
    void recompute_shape();
    void finalize(context& ctx);

    // Editing; used by module, which keeps the links on both sides right.
    void replace(operation o);
    void replace_shape(const shape& r);
    void clear_arguments();
    static void backreference(instruction_ref ref);
    static void replace_argument(instruction_ref ins, instruction_ref old, instruction_ref new_ins);
    static void replace_mod_argument(instruction_ref ins, module_ref old, module_ref new_mod);
    static void replace(instruction_ref ins, operation o, const shape& r,
                        std::vector<instruction_ref> args, std::vector<module_ref> mods = {});
    static void replace_refs(instruction_ref ins,
                             const std::unordered_map<instruction_ref, instruction_ref>& map_args,
                             const std::unordered_map<module_ref, module_ref>& map_mods);
    void add_output(instruction_ref ins);
    void remove_output(const instruction_ref& ins);

    /// Roots of the memory this instruction refers to: itself, or what its views are views of.
    static std::vector<instruction_ref> get_output_alias(instruction_ref ins, bool shallow = false);

    static void print(std::ostream& os, instruction_ref ins,
                      const std::unordered_map<instruction_ref, std::string>& names);

    operation op;
    shape result{};
    std::vector<instruction_ref> output;
    std::vector<instruction_ref> arguments;
    std::vector<module_ref> module_args;
    literal lit;
    std::set<std::string> debug_symbols;
    std::size_t target_id = 0;
    bool normalized = false;
};

/// `end` depends on `start`, directly or through others.
bool reaches(instruction_ref start, instruction_ref end);
bool reaches(instruction_ref start, instruction_ref end, const_module_ref m);
/// One of `instructions` depends on another; `root` is where the search stops.
bool is_interdependent(const std::vector<instruction_ref>& instructions, const_module_ref m,
                       instruction_ref root);
std::unordered_set<instruction_ref>
find_instructions_between(instruction_ref start, instruction_ref end, const_module_ref m);

} // namespace migraphx
#endif
