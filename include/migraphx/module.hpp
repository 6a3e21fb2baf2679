// SPDX-License-Identifier: MIT
// A graph of instructions in topological order, with parameters and a return.
#ifndef MIGRAPHX_MODULE_HPP
#define MIGRAPHX_MODULE_HPP

#include <array>
#include <functional>
#include <iosfwd>
#include <memory>
#include <migraphx/instruction.hpp>
#include <migraphx/instruction_ref.hpp>
#include <migraphx/literal.hpp>
#include <migraphx/module_ref.hpp>
#include <migraphx/operation.hpp>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace migraphx {

struct module_impl;
struct module_access;
struct module_with_inputs;

using ins_dep_map = std::unordered_map<instruction_ref, std::unordered_set<instruction_ref>>;

struct instruction_replacement {
    instruction_ref ins;
    operation op;
    std::vector<instruction_ref> args;
    std::vector<module_ref> module_args = {};
};

/// Where names come from when a module is printed.
using print_names = std::unordered_map<instruction_ref, std::string>;

struct module {
    using inserter = std::function<instruction_ref(
        module& m, instruction_ref ins, const operation& op,
        const std::vector<instruction_ref>& inputs, const std::vector<module_ref>& mod_args)>;
    using instruction_map = std::unordered_map<instruction_ref, instruction_ref>;

    module(const std::string& name = "");
    module(module&& rhs) noexcept;
    module(const module& rhs);
    module& operator=(module rhs);
    ~module() noexcept;

    std::string name() const;
    void set_name(const std::string& name);
    bool bypass() const;
    /// A module that passes skip (the body of a fused operator).
    void set_bypass(bool b = true);

    // ---- adding: `add_` at the end (before the return), `insert_` before `pos`
    template <
        class... Ts,
        std::enable_if_t<(std::is_same<instruction_ref, std::decay_t<Ts>>::value and ...), int> = 0>
    instruction_ref add_instruction(operation op, Ts... args) {
        return add_instruction(op, std::vector<instruction_ref>{args...});
    }
    instruction_ref add_instruction(const operation& op, std::vector<instruction_ref> args);
    instruction_ref add_instruction(const operation& op, std::vector<instruction_ref> args,
                                    std::vector<module_ref> module_args);

    template <
        class... Ts,
        std::enable_if_t<(std::is_same<instruction_ref, std::decay_t<Ts>>::value and ...), int> = 0>
    instruction_ref insert_instruction(instruction_ref ins, operation op, Ts... args) {
        return insert_instruction(ins, op, std::vector<instruction_ref>{args...});
    }
    instruction_ref insert_instruction(instruction_ref ins, const operation& op,
                                       std::vector<instruction_ref> args);
    instruction_ref insert_instruction(instruction_ref ins, const operation& op,
                                       std::vector<instruction_ref> args,
                                       std::vector<module_ref> module_args);

    template <class... Ts,
              std::enable_if_t<(std::is_same<instruction_ref, std::decay_t<Ts>>::value and ...) and
                                   (sizeof...(Ts) > 0),
                               int> = 0>
    instruction_ref replace_instruction(instruction_ref ins, operation op, Ts... args) {
        return replace_instruction(ins, op, std::vector<instruction_ref>{args...});
    }
    instruction_ref replace_instruction(instruction_ref ins, const operation& op,
                                        std::vector<instruction_ref> args);
    instruction_ref replace_instruction(instruction_ref ins, const operation& op,
                                        std::vector<instruction_ref> args,
                                        std::vector<module_ref> module_args);
    /// Every use of `ins` becomes a use of `rep`; `ins` stays, dead.
    instruction_ref replace_instruction(instruction_ref ins, instruction_ref rep);
    std::vector<instruction_ref>
    batch_replace_instruction(const std::vector<instruction_replacement>& replacers);

    /// Throws when it is still used. Gives the next instruction.
    instruction_ref remove_instruction(instruction_ref ins);
    instruction_ref remove_instructions(instruction_ref first, instruction_ref last);
    instruction_ref move_instruction(instruction_ref src, instruction_ref dst);
    instruction_ref move_instructions(instruction_ref src, instruction_ref dst);
    void move_output_instructions_after(instruction_ref src, instruction_ref dst);

    // ---- copying between modules; `map_ins` carries old → new both ways
    std::vector<instruction_ref> add_instructions(const std::vector<instruction_ref>& instructions,
                                                  instruction_map* map_ins = nullptr,
                                                  inserter insert = nullptr);
    std::vector<instruction_ref> add_instructions(const_module_ref m,
                                                  instruction_map* map_ins = nullptr,
                                                  inserter insert = nullptr);
    std::vector<instruction_ref> add_instructions(instruction_ref start, instruction_ref last,
                                                  instruction_map* map_ins = nullptr,
                                                  inserter insert = nullptr);
    std::vector<instruction_ref>
    insert_instructions(instruction_ref ins, const std::vector<instruction_ref>& instructions,
                        instruction_map* map_ins = nullptr, inserter insert = nullptr);
    std::vector<instruction_ref> insert_instructions(instruction_ref ins, const_module_ref m,
                                                     instruction_map* map_ins = nullptr,
                                                     inserter insert = nullptr);
    std::vector<instruction_ref> insert_instructions(instruction_ref ins, instruction_ref start,
                                                     instruction_ref last,
                                                     instruction_map* map_ins = nullptr,
                                                     inserter insert = nullptr);
    /// Copies `m`'s body here with its parameters bound (in name-sorted order) to `inputs`.
    std::vector<instruction_ref> insert_inline(instruction_ref ins, const module& m,
                                               const std::vector<instruction_ref>& inputs);

    // ---- literals, parameters, returns (the first two are put at the front)
    template <class... Ts>
    instruction_ref add_literal(Ts&&... xs) {
        return add_literal(literal{std::forward<Ts>(xs)...});
    }
    template <class T>
    instruction_ref add_literal(const shape& s, const std::initializer_list<T>& x) {
        return add_literal(literal{s, x});
    }
    instruction_ref add_literal(literal l);
    instruction_ref insert_literal(instruction_ref ins, literal l);
    instruction_ref add_outline(const shape& s);
    instruction_ref add_parameter(std::string name, shape s);
    instruction_ref insert_parameter(instruction_ref ins, std::string name, shape s);
    instruction_ref add_return(std::vector<instruction_ref> args);
    instruction_ref replace_return(std::vector<instruction_ref> args);
    void rename_parameter(instruction_ref ins, const std::string& name);

    // ---- observers
    /// In the order of declaration.
    std::vector<std::string> get_parameter_names() const;
    shape get_parameter_shape(std::string name) const;
    /// end() when there is none of that name.
    instruction_ref get_parameter(std::string name) const;
    std::vector<instruction_ref> get_parameters() const;
    std::unordered_map<std::string, shape> get_parameter_shapes() const;
    std::vector<instruction_ref> get_returns() const;
    std::vector<shape> get_output_shapes() const;
    bool has_instruction(instruction_ref ins) const;
    bool empty() const { return size() == 0; }
    std::size_t size() const;
    instruction_ref begin() const;
    instruction_ref end() const;
    /// Where add_instruction puts: before the return if there is one.
    instruction_ref insert_end() const;
    /// Modules used here; with those used by them unless `shallow`.
    std::vector<module_ref> get_sub_modules(bool shallow = false) const;
    /// Shapes of the returns for other input shapes (parameters in declaration order).
    std::vector<shape> compute_shapes(const std::vector<shape>& inputs) const;
    /// First invalid instruction, or end().
    instruction_ref validate() const;
    instruction_ref find_dangling_reference() const;
    void finalize(std::vector<context>& contexts);
    /// What each instruction with sub-modules uses of the outer modules without naming it.
    ins_dep_map calc_implicit_deps() const;
    instruction_map get_ins_param_map(const std::vector<instruction_ref>& inputs,
                                      bool reverse = false) const;
    std::vector<instruction_ref> get_inputs(const instruction_map& map_ins) const;
    /// The module for concrete sizes of its parameters: all shapes inferred anew.
    module with_static_shapes(const std::unordered_map<std::string, shape>& input_shapes) const;

    // ---- rearranging
    module& sort();
    module& shuffle(std::vector<std::size_t> permutation);
    void repeat_while_changes(std::size_t n, const std::function<void()>& f);
    void hoist_external_inputs(instruction_ref start_ins, instruction_ref end_ins);
    /// Parameters for the instructions of `inputs` that are not mapped yet.
    void add_params(const std::vector<instruction_ref>& inputs, instruction_map* map_ins = nullptr,
                    const std::function<shape(const shape&)>& shape_transform = nullptr);
    /// Copies instructions in, creating parameters for operands from outside.
    std::vector<instruction_ref>
    fuse(const std::vector<instruction_ref>& inss, instruction_map* map_ins = nullptr,
         inserter insert = nullptr,
         const std::function<shape(const shape&)>& shape_transform = nullptr);
    std::vector<instruction_ref>
    fuse(const module& m, const std::vector<instruction_ref>& inputs,
         instruction_map* map_ins = nullptr, inserter insert = nullptr,
         const std::function<shape(const shape&)>& shape_transform = nullptr);
    std::array<module_with_inputs, 2> split(const std::vector<instruction_ref>& args,
                                            const std::vector<instruction_ref>& splits) const;
    std::array<module_with_inputs, 3> split(const std::vector<instruction_ref>& args,
                                            const std::vector<instruction_ref>& splits1,
                                            const std::vector<instruction_ref>& splits2) const;

    // ---- text
    void debug_print() const;
    void debug_print(instruction_ref ins) const;
    void debug_print(const std::vector<instruction_ref>& inss) const;
    print_names print(std::ostream& os, const std::string& prefix = "") const;
    void print_graph(std::ostream& os, bool brief = false) const;
    void print_py(std::ostream& os) const;
    void print_cpp(std::ostream& os) const;
    void annotate(std::ostream& os, std::function<void(instruction_ref)> a) const;

    bool has_debug_symbols() const;
    void add_debug_symbols(instruction_ref ins, const std::set<std::string>& symbols);
    void remove_debug_symbols(instruction_ref ins);

    friend std::ostream& operator<<(std::ostream& os, const module& m);
    friend bool operator==(const module& x, const module& y);
    friend bool operator!=(const module& x, const module& y) { return not(x == y); }

private:
    friend struct module_access;
    friend instruction_ref
    copy_instruction(module& to, instruction_ref pos, instruction_ref ins,
                     const instruction_map& map_ins,
                     const std::unordered_map<module_ref, module_ref>& map_mods);
    std::unique_ptr<module_impl> impl;
};

struct module_with_inputs {
    module mod;
    std::vector<instruction_ref> inputs;
    /// In place of the instructions of `map`, others.
    void replace(const module::instruction_map& map);
    void replace(instruction_ref ins, instruction_ref rep);
};

} // namespace migraphx
#endif
