// SPDX-License-Identifier: MIT
// From a module with concrete shapes to a plan: kernels, slots, lifetimes, one arena.
#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>

#include "base/parallel.hpp"
#include "base/phase_times.hpp"
#include "base/str.hpp"
#include "ops/module_body.hpp"
#include "runtime/concat_slices.hpp"
#include "runtime/deferred_constants.hpp"
#include "runtime/fetch_plan.hpp"
#include "runtime/memory_plan.hpp"
#include "runtime/module_kernel.hpp"
#include "runtime/plan.hpp"
#include "runtime/specialise.hpp"
#include "runtime/tuning_cache.hpp"
#include "runtime/weight_store.hpp"

#include <algorithm>
#include <atomic>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

namespace migraphx {

namespace {

// A value of the module: a part of a buffer (its root), seen through a shape.
struct value_place {
    uint32_t root = 0;
    std::size_t offset = 0;
    shape layout;
    std::vector<value_place> tuple = {};
};

enum class root_kind { constant, parameter, arena, output };

struct root {
    root_kind kind = root_kind::arena;
    std::size_t bytes = 0;
    argument constant;               // kind constant
    std::size_t first = 0, last = 0; // steps
};

constexpr std::size_t not_used = std::size_t(-1);

constexpr std::size_t packed_by_all_threads = std::size_t{8} << 20; // bytes of constants

// Where a view lies in the memory of its input: the operator is evaluated on an address that is
// never read, and the result's address gives the offset.
std::size_t view_offset(const operation& op, const shape& in, const shape& out) {
    static char base[64];
    const argument result = op.compute(out, {argument{in, base}});
    return static_cast<std::size_t>(result.data() - base);
}

} // namespace

class plan_builder {
public:
    plan_builder(plan_data& target, std::shared_ptr<const backend> back, const compile_options& o,
                 part_context shared)
        : p(target), b(std::move(back)), options(o), parts(std::move(shared)) {}

    void build() {
        make_results_standard();
        copy_written_operands();
        auto* m = p.source.get_main_module();
        for (auto ins : m->get_parameters()) {
            p.names.push_back(any_cast<builtin::param>(ins->get_operator()).parameter);
            p.param_shapes.push_back(ins->get_shape());
            param_roots.push_back(new_root(
                root_kind::parameter, ins->get_shape().is_boxed() ? 0 : ins->get_shape().bytes()));
            places[ins] = place_on(param_roots.back(), ins->get_shape());
        }
        find_constants(*m);
        find_slices(*m);
        {
            timed_phase row("lowering");
            lower_all(*m);
            row.before = m->size();
            row.after = kernels.size();
        }
        for (auto ins = m->begin(); ins != m->end(); ++ins)
            with_context([&] { visit(ins); }, [&] { return describe(ins); });
        finish(*m);
    }

private:
    // Users read results as row-major memory.
    void make_results_standard() {
        auto* m = p.source.get_main_module();
        auto results = m->get_returns();
        bool changed = m->size() == 0 or std::prev(m->end())->name() != "@return";
        for (auto& r : results) {
            const auto& s = r->get_shape();
            if (s.type() == shape::tuple_type or s.standard() or s.elements() <= 1)
                continue;
            auto copy = m->insert_instruction(m->insert_end(), make_op("contiguous"), r);
            r = copy;
            changed = true;
        }
        if (changed)
            m->replace_return(results);
    }

    // Operators that write into an operand get a copy of what belongs to the caller or to the
    // model.
    void copy_written_operands() {
        auto* m = p.source.get_main_module();
        for (auto ins = m->begin(); ins != m->end(); ++ins) {
            const auto& op = ins->get_operator();
            if (op.info().is_builtin or op.info().is_view or
                ins->get_shape().type() == shape::tuple_type)
                continue;
            const auto written = op.output_alias(to_shapes(ins->inputs()));
            if (written.size() != 1 or written.front() >= ins->inputs().size())
                continue;
            auto owner = ins->inputs()[written.front()];
            if (owner->get_shape() != ins->get_shape())
                continue;
            while (owner->get_operator().info().is_view or owner->name() == "identity")
                owner = owner->inputs().front();
            if (owner->name() != "@param" and owner->name() != "@literal")
                continue;
            auto inputs = ins->inputs();
            auto& x = inputs[written.front()];
            x = m->insert_instruction(ins, make_op("contiguous"), x);
            m->replace_instruction(ins, op, inputs, ins->module_inputs());
        }
    }

    uint32_t new_root(root_kind kind, std::size_t bytes) {
        root r;
        r.kind = kind;
        r.bytes = bytes;
        r.first = r.last = not_used;
        roots.push_back(std::move(r));
        return static_cast<uint32_t>(roots.size() - 1);
    }

    value_place place_on(uint32_t r, const shape& s) {
        value_place v;
        v.root = r;
        v.layout = s;
        if (s.type() == shape::tuple_type and not s.is_boxed())
            fail(error_kind::unsupported,
                 "plan: a tensor was expected, got a tuple parameter or constant");
        return v;
    }

    value_place new_buffer(const shape& s) {
        value_place v;
        v.layout = s;
        if (s.type() == shape::tuple_type)
            for (const auto& sub : s.sub_shapes())
                v.tuple.push_back(new_buffer(sub));
        else
            v.root = new_root(root_kind::arena, s.bytes());
        return v;
    }

    uint32_t constant_root(const argument& a) {
        // Literals that share memory share the root.
        auto [it, fresh] = constant_roots.try_emplace(a.data(), 0);
        if (fresh or roots[it->second].bytes < a.get_shape().bytes()) {
            it->second = new_root(root_kind::constant, a.get_shape().bytes());
            roots[it->second].constant = a;
        }
        return it->second;
    }

    // Literals and views of them.
    void find_constants(module& m) {
        for (auto ins = m.begin(); ins != m.end(); ++ins) {
            if (ins->name() == "@literal")
                constants[ins] = ins->get_literal().get_argument();
            else if (is_view(ins)) {
                const auto in = ins->inputs().front();
                if (auto it = constants.find(in); it != constants.end())
                    constants[ins] = it->second.view(ins->get_shape(), offset_in_input(ins));
            } else if (deferred_constants::can_defer(ins))
                defer(ins);
        }
    }

    void defer(instruction_ref ins) {
        std::vector<argument> inputs;
        for (auto in : ins->inputs()) {
            auto it = constants.find(in);
            if (it == constants.end() or deferred.holds(in))
                return;
            inputs.push_back(it->second);
        }
        constants[ins] = deferred.add(ins, inputs);
    }

    // Becomes a step with a kernel of the backend.
    static bool is_kernel(instruction_ref ins) {
        return not is_placed_by_name(ins) and not is_view(ins) and is_lowered_whole(ins) and
               not ins->get_shape().any_of_dynamic();
    }

    static bool is_view(instruction_ref ins) {
        return ins->get_operator().info().is_view and ins->inputs().size() == 1 and
               not is_placed_by_name(ins);
    }

    static std::size_t offset_in_input(instruction_ref ins) {
        return view_offset(ins->normalized_operator(), ins->inputs().front()->get_shape(),
                           ins->get_shape());
    }

    // Instructions for which visit() has a case of its own.
    static bool is_placed_by_name(instruction_ref ins) {
        static const std::unordered_set<std::string> names{
            "@param",    "@return",  "@comment",       "@literal",
            "undefined", "@outline", "get_tuple_elem", "identity"};
        return names.contains(ins->name());
    }

    // A target's own operators ("cpu::dot") are, whatever their modules.
    static bool is_lowered_whole(instruction_ref ins) {
        return ins->module_inputs().empty() or ins->name() == "pointwise" or
               (ins->name() == "fused_reduce" and is_flat(*ins->module_inputs().front())) or
               ins->name().find("::") != std::string::npos;
    }

    // Values that are written straight into the result of a concat.
    void find_slices(const module& m) {
        slices = find_concat_slices(
            m,
            {[&](instruction_ref ins, const shape& layout) {
                 if (not is_lowered_whole(ins) or is_placed_by_name(ins) or constants.contains(ins))
                     return false;
                 auto pr = problem_of(ins);
                 pr.output = layout;
                 return b->writes_strided(pr);
             },
             [&](instruction_ref ins, instruction_ref value, const shape& layout) {
                 if (not is_lowered_whole(ins) or is_placed_by_name(ins))
                     return false;
                 auto pr = problem_of(ins);
                 for (std::size_t i = 0; i < pr.inputs.size(); i++)
                     if (ins->inputs()[i] == value) {
                         pr.inputs[i] = layout;
                         if (not b->reads_strided(pr, i))
                             return false;
                     }
                 return true;
             }});
    }

    shape layout_of(instruction_ref ins) const {
        auto it = slices.find(ins);
        return it == slices.end() ? ins->get_shape() : it->second.layout;
    }

    problem problem_of(instruction_ref ins) const {
        problem pr;
        pr.ins = ins;
        pr.op = ins->normalized_operator();
        pr.output = layout_of(ins);
        pr.modules = ins->module_inputs();
        pr.num_threads = options.num_threads;
        pr.fast_math = options.fast_math;
        pr.tf32 = options.tf32;
        pr.many_sizes = parts.many_sizes;
        pr.weights = &weight_store::instance();
        pr.artifacts = parts.artifacts.get();
        pr.tune = options.exhaustive_tune;
        for (auto in : ins->inputs()) {
            pr.inputs.push_back(layout_of(in));
            auto it = constants.find(in);
            pr.constants.push_back(it == constants.end() ? argument{} : it->second);
        }
        return pr;
    }

    // Kernels are made by all threads at once: what costs is packing weights and generating code,
    // and each is for itself. A weight that outweighs the others is packed by all threads together,
    // before.
    void lower_all(module& m) {
        std::vector<instruction_ref> todo;
        for (auto ins = m.begin(); ins != m.end(); ++ins)
            if (is_kernel(ins) and not deferred.contains(ins))
                todo.push_back(ins);
        std::vector<std::unique_ptr<kernel>> made(todo.size());
        const auto make = [&](std::size_t i) {
            with_context([&] { made[i] = lower(todo[i]); }, [&] { return describe(todo[i]); });
        };
        std::vector<std::size_t> shared_out;
        tuning_progress progress(options.exhaustive_tune ? todo.size() : 0);
        for (std::size_t i = 0; i < todo.size(); i++)
            if (options.exhaustive_tune) { // what is timed has the machine for itself
                progress.next(todo[i]->name());
                make(i);
            } else if (constant_bytes(todo[i]) < packed_by_all_threads)
                shared_out.push_back(i);
            else
                make(i);
        std::atomic<std::size_t> next = 0;
        auto* times = current_phases();
        parallel_for(num_threads(), 1, [&](std::int64_t, std::int64_t) {
            const phase_helper with_times(times);
            for (auto i = next++; i < shared_out.size(); i = next++)
                make(shared_out[i]);
        });
        for (std::size_t i = 0; i < todo.size(); i++)
            kernels[todo[i]] = std::move(made[i]);
    }

    std::unique_ptr<kernel> lower(instruction_ref ins) const {
        for (auto in : ins->inputs())
            deferred.hold(in);
        auto k = b->lower(problem_of(ins));
        for (std::size_t i = 0; i < ins->inputs().size(); i++)
            deferred.release(ins->inputs()[i], k->reads_input(i));
        return k;
    }

    std::size_t constant_bytes(instruction_ref ins) const {
        std::size_t bytes = 0;
        for (auto in : ins->inputs())
            if (auto it = constants.find(in); it != constants.end())
                bytes += it->second.get_shape().bytes();
        return bytes;
    }

    void visit(instruction_ref ins) {
        const auto& op = ins->get_operator();
        const auto name = ins->name();
        const auto& s = ins->get_shape();
        if (name == "@param" or name == "@return" or name == "@comment")
            return;
        if (name == "@literal" or deferred.contains(ins)) {
            places[ins] = place_on(constant_root(constants.at(ins)), s);
            return;
        }
        if (name == "undefined" or name == "@outline") {
            places[ins] = place_on(new_root(root_kind::parameter, 0), s);
            absent.insert(places[ins].root);
            return;
        }
        if (name == "get_tuple_elem") {
            places[ins] = places.at(ins->inputs().front()).tuple.at(op.get<std::size_t>("index"));
            return;
        }
        if (name == "identity") {
            places[ins] = places.at(ins->inputs().front());
            return;
        }
        if (s.any_of_dynamic())
            fail(error_kind::internal, "plan: concrete shapes were expected, got " + str(s));
        if (is_view(ins)) {
            place_view(ins);
            return;
        }
        add_step(ins);
    }

    void place_view(instruction_ref ins) {
        const auto in = ins->inputs().front();
        const auto from = places.at(in);
        value_place v;
        v.root = from.root;
        v.layout = ins->get_shape();
        v.offset = from.offset + offset_in_input(ins);
        places[ins] = v;
    }

    void leaves(const value_place& v, std::vector<value_place>& out) const {
        if (v.layout.type() != shape::tuple_type)
            out.push_back(v);
        for (const auto& t : v.tuple)
            leaves(t, out);
    }

    // A concat whose inputs have all been written where it wants them.
    bool is_in_place(instruction_ref ins) const {
        const auto& in = ins->inputs();
        return ins->name() == "concat" and ins->get_shape().elements() > 0 and
               std::all_of(in.begin(), in.end(), [&](auto part) {
                   const auto it = slices.find(part);
                   return part->get_shape().elements() == 0 or
                          (it != slices.end() and it->second.whole == ins and
                           std::count(in.begin(), in.end(), part) == 1);
               });
    }

    // The memory of a concat, from its first part on.
    value_place whole_place(instruction_ref concat) {
        const auto it = slices.find(concat);
        if (it != slices.end())
            return slice_place_of(it->second);
        const auto [place, fresh] = wholes.try_emplace(concat);
        if (fresh)
            place->second = new_buffer(concat->get_shape());
        return place->second;
    }

    value_place slice_place_of(const concat_slice& s) {
        auto v = whole_place(s.whole);
        v.offset += s.offset;
        v.layout = s.layout;
        return v;
    }

    void add_step(instruction_ref ins) {
        const auto pr = problem_of(ins);
        auto inputs = ins->inputs();
        step st;
        st.ins = ins;
        if (is_lowered_whole(ins))
            st.work = std::move(kernels.at(ins));
        else {
            std::vector<lifted_module> lifted;
            for (auto* m : ins->module_inputs()) {
                lifted.push_back(lift_module(m, b, options, parts));
                inputs.insert(inputs.end(), lifted.back().captured.begin(),
                              lifted.back().captured.end());
            }
            auto all = pr;
            all.inputs = to_shapes(inputs);
            st.work = b->adopt(all, make_module_kernel(pr, std::move(lifted)));
        }
        const auto number = steps.size();
        std::vector<value_place> in_leaves;
        for (std::size_t i = 0; i < inputs.size(); i++) {
            const bool read = i >= pr.inputs.size() or st.work->reads_input(i);
            const auto from = in_leaves.size();
            leaves(places.at(inputs[i]), in_leaves);
            for (auto l = from; l < in_leaves.size(); l++) {
                st.reads.push_back(read);
                if (read)
                    touch(in_leaves[l].root, number);
            }
        }
        st.inputs = in_leaves;
        places[ins] = output_place(ins, st, pr);
        if (is_in_place(ins))
            return;
        std::vector<value_place> out_leaves;
        leaves(places[ins], out_leaves);
        for (const auto& l : out_leaves)
            touch(l.root, number);
        st.outputs = out_leaves;
        steps.push_back(std::move(st));
    }

    struct step {
        instruction_ref ins;
        std::unique_ptr<kernel> work;
        std::vector<value_place> inputs, outputs;
        std::vector<bool> reads;
    };

    // A new buffer, or the memory of the input that the operator writes into.
    value_place output_place(instruction_ref ins, const step& st, const problem& pr) {
        if (const auto it = slices.find(ins); it != slices.end())
            return slice_place_of(it->second);
        if (const auto it = wholes.find(ins); it != wholes.end())
            return it->second;
        const auto alias = pr.op.output_alias(pr.inputs);
        if (not pr.op.info().is_view and alias.size() == 1 and
            alias.front() < ins->inputs().size()) {
            auto v = places.at(ins->inputs()[alias.front()]);
            if (v.layout == pr.output and roots[v.root].kind != root_kind::constant)
                return v;
        }
        // In place: the last use of an input of the same layout whose kernel reads before it
        // writes.
        for (std::size_t i = 0; i < ins->inputs().size(); i++) {
            const auto in = ins->inputs()[i];
            if (not st.work->can_write_over(i) or pr.output.type() == shape::tuple_type)
                continue;
            const auto& v = places.at(in);
            if (roots[v.root].kind == root_kind::arena and v.offset == 0 and
                v.layout == pr.output and pr.output.packed() and
                roots[v.root].bytes == pr.output.bytes() and read_in_place(v, st) and
                dies_here(in, ins))
                return v;
        }
        return new_buffer(pr.output);
    }

    // The step reads this memory in the order in which it writes it, never through another view.
    static bool read_in_place(const value_place& v, const step& st) {
        return std::none_of(st.inputs.begin(), st.inputs.end(), [&](const auto& other) {
            return other.root == v.root and (other.offset != v.offset or other.layout != v.layout);
        });
    }

    // No instruction after `user` sees the memory of `value`, through it or through another view of
    // it.
    bool dies_here(instruction_ref value, instruction_ref user) {
        const auto r = places.at(value).root;
        if (order.empty()) {
            std::size_t n = 0;
            auto* m = p.source.get_main_module();
            for (auto i = m->begin(); i != m->end(); ++i)
                order[i] = n++;
        }
        const auto now = order.at(user);
        for (const auto& item : places) {
            const bool shares =
                item.second.tuple.empty() ? item.second.root == r : contains_root(item.second, r);
            if (not shares)
                continue;
            for (auto o : item.first->outputs()) {
                auto it = order.find(o);
                if (it == order.end() or it->second > now)
                    return false;
            }
        }
        return true;
    }

    bool contains_root(const value_place& v, uint32_t r) const {
        if (v.tuple.empty())
            return v.root == r;
        return std::any_of(v.tuple.begin(), v.tuple.end(),
                           [&](const auto& t) { return contains_root(t, r); });
    }

    void touch(uint32_t r, std::size_t step_number) {
        if (roots[r].first == not_used)
            roots[r].first = step_number;
        roots[r].last = step_number;
    }

    plan_result result_of(const value_place& v) {
        plan_result r;
        r.layout = v.layout;
        if (v.layout.type() == shape::tuple_type) {
            for (const auto& t : v.tuple)
                r.tuple.push_back(result_of(t));
            return r;
        }
        if (roots[v.root].kind == root_kind::arena)
            roots[v.root].kind = root_kind::output;
        r.fresh = roots[v.root].kind == root_kind::output;
        r.where = {v.root, v.offset};
        return r;
    }

    void finish(const module& m) {
        for (auto r : m.get_returns()) {
            p.results.push_back(result_of(places.at(r)));
            mark_needed(r, static_cast<uint32_t>(p.results.size() - 1));
        }
        std::vector<lifetime> lives;
        std::vector<uint32_t> in_arena;
        for (uint32_t i = 0; i < roots.size(); i++)
            if (roots[i].kind == root_kind::arena) {
                lives.push_back({roots[i].bytes, roots[i].first == not_used ? 0 : roots[i].first,
                                 roots[i].last == not_used ? 0 : roots[i].last});
                in_arena.push_back(i);
            }
        const auto memory = planned(lives);
        p.arena_bytes = memory.bytes;

        // Base addresses: the arena, then one for each other root.
        std::vector<uint32_t> base(roots.size(), 0);
        std::vector<std::size_t> shift(roots.size(), 0);
        p.arena_base = 0;
        uint32_t next = 1;
        for (std::size_t i = 0; i < in_arena.size(); i++)
            shift[in_arena[i]] = memory.offsets[i];
        for (uint32_t i = 0; i < roots.size(); i++) {
            auto& r = roots[i];
            if (r.kind == root_kind::arena)
                continue;
            base[i] = next++;
            if (r.kind == root_kind::output)
                p.output_buffers.push_back({base[i], r.bytes});
            // Constants that no step reads (packed by their kernels) are let go.
            if (r.kind == root_kind::constant and (r.first != not_used or is_result(i))) {
                p.constants.push_back(r.constant);
                p.constant_bases.push_back(base[i]);
            }
        }
        forget_unread_literals(m);
        for (auto r : param_roots)
            p.param_bases.push_back(base[r]);
        p.base_count = next;

        auto ref_of = [&](const value_place& v) {
            return slot_ref{base[v.root], v.offset + shift[v.root]};
        };
        for (auto& st : steps) {
            plan_step out;
            out.ins = st.ins;
            out.layout = layout_of(st.ins);
            out.first_input = static_cast<uint32_t>(p.refs.size());
            out.inputs = static_cast<uint32_t>(st.inputs.size());
            for (const auto& v : st.inputs)
                p.refs.push_back(ref_of(v));
            out.first_output = static_cast<uint32_t>(p.refs.size());
            out.outputs = static_cast<uint32_t>(st.outputs.size());
            for (const auto& v : st.outputs)
                p.refs.push_back(ref_of(v));
            p.max_args = std::max<std::size_t>(p.max_args, out.inputs + out.outputs);
            p.scratch_bytes = std::max(p.scratch_bytes, st.work->scratch_bytes());
            out.work = std::move(st.work);
            auto it = needed.find(out.ins);
            if (it != needed.end())
                out.needed_for = it->second;
            p.steps.push_back(std::move(out));
        }
        auto locate = [&](plan_result& r, auto& self) -> void {
            r.where = slot_ref{base[r.where.base], r.where.offset + shift[r.where.base]};
            for (auto& t : r.tuple)
                self(t, self);
        };
        for (auto& r : p.results)
            locate(r, locate);
    }

    memory_layout planned(const std::vector<lifetime>& lives) const {
        timed_phase row("memory plan");
        return plan_memory(lives, b->alignment());
    }

    // Kernels have packed them: what is left of them in the plan's program are their shapes.
    void forget_unread_literals(const module& m) {
        constexpr std::size_t kept = 4096; // bytes that are of use in traces
        for (auto ins = m.begin(); ins != m.end(); ++ins) {
            if (ins->name() != "@literal" or ins->get_shape().bytes() <= kept)
                continue;
            const auto r = places.at(ins).root;
            if (roots[r].first == not_used and not is_result(r))
                ins->lit = literal::adopt(argument{ins->get_shape(), nullptr});
        }
    }

    bool is_result(uint32_t r) const {
        auto has = [&](const plan_result& x, auto& self) -> bool {
            return (x.tuple.empty() and x.where.base == r) or
                   std::any_of(x.tuple.begin(), x.tuple.end(),
                               [&](const auto& t) { return self(t, self); });
        };
        return std::any_of(p.results.begin(), p.results.end(),
                           [&](const auto& x) { return has(x, has); });
    }

    void mark_needed(instruction_ref end, uint32_t result) {
        std::unordered_set<instruction_ref> seen;
        std::vector<instruction_ref> todo{end};
        auto* m = p.source.get_main_module();
        const auto implicit = m->calc_implicit_deps();
        while (not todo.empty()) {
            auto ins = todo.back();
            todo.pop_back();
            if (not seen.insert(ins).second)
                continue;
            needed[ins].push_back(result);
            todo.insert(todo.end(), ins->inputs().begin(), ins->inputs().end());
            auto deps = implicit.find(ins);
            if (deps != implicit.end())
                todo.insert(todo.end(), deps->second.begin(), deps->second.end());
        }
    }

    plan_data& p;
    std::shared_ptr<const backend> b;
    const compile_options& options;
    part_context parts;
    std::vector<root> roots;
    std::vector<uint32_t> param_roots;
    std::unordered_set<uint32_t> absent;
    std::unordered_map<const char*, uint32_t> constant_roots;
    std::unordered_map<instruction_ref, value_place> places;
    std::unordered_map<instruction_ref, argument> constants;
    deferred_constants deferred{is_view, is_kernel};
    std::unordered_map<instruction_ref, std::unique_ptr<kernel>> kernels;
    std::unordered_map<instruction_ref, std::vector<uint32_t>> needed;
    std::unordered_map<instruction_ref, std::size_t> order;
    concat_slices slices;
    std::unordered_map<instruction_ref, value_place> wholes; ///< of concats with parts in place
    std::vector<step> steps;
};

plan::plan(program prog, std::shared_ptr<const backend> b, const compile_options& options,
           part_context parts) {
    data.source = std::move(prog);
    data.threads = options.num_threads == 0 ? num_threads() : thread_count(options.num_threads);
    // Libraries fix their split of the work when a kernel is made.
    const thread_count_guard guard(data.threads);
    const auto memory = parts.memory;
    plan_builder{data, b, options, std::move(parts)}.build();
    plan_fetches(data);
    runner = b->make_runner(data, options, memory);
}

} // namespace migraphx
