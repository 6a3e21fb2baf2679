// SPDX-License-Identifier: MIT
// Makes a plan of a lowered nest: order of the calls, tile slots, what is read and written in
// place.

#include "base/rounding.hpp"
#include "base/settings.hpp"
#include "targets/cpu/nest_lower.hpp"
#include "targets/cpu/nest_plan.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <cstdlib>

namespace migraphx::cpu {
namespace {

using codegen::nest;

const setting<std::string> forced_backend{
    "MIGRAPHX_CPU_NEST", "auto",
    "what runs fused pointwise regions: tiles, jit (machine code, compiled at once), interpreter, "
    "or "
    "auto (tiles, and machine code for what has run for some milliseconds); the first two give the "
    "same bits"};

constexpr int64_t shortest_row = 512;      // inner dims below it share tiles
constexpr int64_t tile_memory = 20 * 1024; // bytes that a tile occupies
constexpr int64_t shortest_tile = 128;
constexpr int64_t longest_tile = 4096;
constexpr int64_t cache_line = 64;
constexpr int64_t shortest_block_row = 16; // elements
constexpr int64_t longest_block_row = 64;
constexpr int64_t cell_bytes = 8;
constexpr int64_t fold_bytes = most_fold_vectors * 16 * cell_bytes; // accumulators of any level

// Whether one step after another along all dims is the same distance in memory.
bool walks_linearly(const std::vector<int64_t>& dims, const std::vector<int64_t>& strides) {
    for (std::size_t d = dims.size(); d-- > 1;)
        if (strides[d - 1] != strides[d] * dims[d])
            return false;
    return true;
}

// Slots of equal size, handed out and taken back.
class slot_pool {
public:
    int take() {
        if (free_slots.empty())
            return count++;
        const int slot = free_slots.back();
        free_slots.pop_back();
        return slot;
    }
    // One that nobody has had.
    int take_fresh() { return count++; }
    void give_back(int slot) { free_slots.push_back(slot); }
    int size() const { return count; }

private:
    std::vector<int> free_slots;
    int count = 0;
};

// Where a node's value lives.
struct vm_place {
    enum class kind : uint8_t { nowhere, constant, cell, slot, memory };
    kind what = kind::nowhere;
    int index = 0; // constant, cell or slot number; stream of memory
};

class nest_scheduler {
public:
    // A stage is walked in rows, its dims as they are.
    nest_scheduler(nest simplified, const nest_kernels& table, isa level, bool is_stage = false)
        : n(std::move(simplified)), plan(std::make_shared<nest_plan>()), kernels(table) {
        set_walk(is_stage);
        graph = lower_nest(n, kernels, plan->rowwise, level);
        // Calls point at their own entries, which must not move from here on.
        plan->scalar_calls = std::move(graph.scalar_calls);
    }

    std::shared_ptr<nest_plan> run() {
        const std::size_t count = graph.nodes.size();
        places.resize(count);
        last_use.assign(count, -1);
        live.assign(count, 0);
        for (const vm_store& s : graph.stores)
            mark(s.node);
        plan->chains.reserve(count);
        plan->chain_steps.reserve(count);
        order_tile_nodes();
        choose_direct_outputs();
        emit_splats();
        emit_tile();
        finish();
        return plan;
    }

private:
    nest n;
    std::shared_ptr<nest_plan> plan;
    const nest_kernels& kernels;
    vm_graph graph;
    std::vector<vm_place> places;
    std::vector<char> live;
    std::vector<int> sequence;      // nodes computed or loaded for each tile, in order
    std::vector<int> last_use;      // position in `sequence` after which a node is not needed
    std::vector<int> direct_output; // of each node: the output that it is computed into, or -1
    slot_pool slots;
    int cells = 0;
    bool blocks = false; // tiles are blocks over the two inner dims
    bool wide = false;   // some slot holds 8-byte values

    const vm_node& node(int id) const { return graph.nodes[std::size_t(id)]; }
    vm_place& place(int id) { return places[std::size_t(id)]; }

    bool per_element(int id) const { return node(id).rate == vm_rate::per_element; }
    const codegen::nest_access& access(int stream) const {
        const int inputs = int(n.inputs.size());
        return stream < inputs ? n.inputs[std::size_t(stream)]
                               : n.outputs[std::size_t(stream - inputs)].access;
    }

    void set_walk(bool is_stage) {
        n = codegen::with_a_dim(std::move(n));
        plan->reads = nest_reads(n);
        const bool in_rows = is_stage or not plan->reads.empty();
        blocks = not in_rows and make_blocks();
        plan->dims = n.dims;
        plan->elements = n.elements();
        plan->inputs = int(n.inputs.size());
        plan->rowwise =
            in_rows or (not blocks and (n.dims.back() >= shortest_row or n.dims.size() == 1));
        for (int i = 0; i < int(n.inputs.size() + n.outputs.size()); ++i) {
            nest_stream s;
            s.element_bytes = int64_t(shape(access(i).type).type_size());
            for (int64_t stride : access(i).strides)
                s.steps.push_back(stride * s.element_bytes);
            s.linear = walks_linearly(n.dims, access(i).strides);
            plan->streams.push_back(std::move(s));
        }
    }

    // The dim along which some input lies contiguous in memory although it is far apart along the
    // inner one, or -1.
    int dim_to_block() const {
        const std::size_t inner = n.dims.size() - 1;
        for (const codegen::nest_access& a : n.inputs) {
            const int64_t bytes = int64_t(shape(a.type).type_size());
            if (std::abs(a.strides[inner]) * bytes < cache_line)
                continue;
            for (std::size_t d = inner; d-- > 0;)
                if (a.strides[d] == 1 and n.dims[d] >= 4)
                    return int(d);
        }
        return -1;
    }

    // Moves that dim next to a short inner one, so that a tile is a block over both; true if done.
    bool make_blocks() {
        const int dim = dim_to_block();
        const std::size_t inner = n.dims.size() - 1;
        if (dim < 0)
            return false;
        int64_t columns = std::min(n.dims[inner], longest_block_row);
        while (n.dims[inner] % columns != 0)
            --columns;
        if (columns < std::min(n.dims[inner], shortest_block_row))
            return false;
        const int64_t blocks = n.dims[inner] / columns;
        const auto arrange = [&](std::vector<int64_t>& values, int64_t block, int64_t column) {
            const int64_t rows = values[std::size_t(dim)];
            values.back() = block;
            values.erase(values.begin() + dim);
            values.push_back(rows);
            values.push_back(column);
        };
        for (auto& a : n.inputs)
            arrange(a.strides, a.strides[inner] * columns, a.strides[inner]);
        for (auto& o : n.outputs)
            arrange(o.access.strides, o.access.strides[inner] * columns, o.access.strides[inner]);
        arrange(n.dims, blocks, columns);
        return true;
    }

    // Whether tiles of a stream are contiguous in memory.
    bool contiguous(int stream) const {
        const bool unit = access(stream).strides.back() == 1;
        return unit and (plan->rowwise or plan->streams[std::size_t(stream)].linear);
    }

    // Whether memory of the type is what a tile of the class would hold.
    static bool is_native(shape::type_t type, vm_class cls) {
        switch (cls) {
        case vm_class::f32:
            return type == shape::float_type;
        case vm_class::f64:
            return type == shape::double_type;
        case vm_class::i64:
            break;
        }
        return type == shape::int64_type or type == shape::uint64_type;
    }

    // A load that is no copy: its users read the tensor's memory.
    bool reads_memory(int id) const {
        const vm_node& v = node(id);
        if (v.what != vm_node::kind::load or not is_native(access(v.input).type, v.cls))
            return false;
        return v.rate != vm_rate::per_element or contiguous(v.input);
    }

    void mark(int id) {
        if (live[std::size_t(id)] != 0)
            return;
        live[std::size_t(id)] = 1;
        for (int o : node(id).operands)
            mark(o);
    }

    // Operators in order of the nest; each load right before its first use.
    void order_tile_nodes() {
        std::vector<char> placed(graph.nodes.size(), 0);
        const auto append = [&](int id) {
            if (placed[std::size_t(id)] != 0 or not per_element(id))
                return;
            placed[std::size_t(id)] = 1;
            sequence.push_back(id);
        };
        for (int id = 0; id < int(graph.nodes.size()); ++id) {
            if (live[std::size_t(id)] == 0 or node(id).what == vm_node::kind::load)
                continue;
            for (int o : node(id).operands)
                if (node(o).what == vm_node::kind::load)
                    append(o);
            append(id);
        }
        for (const vm_store& s : graph.stores)
            append(s.node);
        for (int at = 0; at < int(sequence.size()); ++at)
            for (int o : node(sequence[std::size_t(at)]).operands)
                last_use[std::size_t(o)] = at;
        for (const vm_store& s : graph.stores)
            last_use[std::size_t(s.node)] = int(sequence.size());
    }

    // The position from which on no input memory is read any more, so that outputs, which may be
    // that memory, can be written.
    int reads_end() const {
        int end = 0;
        for (int at = 0; at < int(sequence.size()); ++at) {
            const int id = sequence[std::size_t(at)];
            if (node(id).what == vm_node::kind::load)
                end = std::max(end, reads_memory(id) ? last_use[std::size_t(id)] : at);
        }
        return end;
    }

    void choose_direct_outputs() {
        direct_output.assign(graph.nodes.size(), -1);
        const int end = reads_end();
        for (int at = end; at < int(sequence.size()); ++at) {
            const int id = sequence[std::size_t(at)];
            if (node(id).what == vm_node::kind::load)
                continue;
            for (int k = 0; k < int(graph.stores.size()); ++k)
                if (graph.stores[std::size_t(k)].node == id and
                    graph.stores[std::size_t(k)].native and contiguous(plan->inputs + k) and
                    direct_output[std::size_t(id)] < 0)
                    direct_output[std::size_t(id)] = k;
        }
    }

    // --- emission ---

    int32_t base_of_stream(int stream) const { return 2 + stream; }

    nest_ref ref_of(int id) {
        const vm_place& p = place(id);
        switch (p.what) {
        case vm_place::kind::constant:
            return {1, int32_t(p.index * cell_bytes)};
        case vm_place::kind::cell:
            return {0, int32_t(p.index * cell_bytes)};
        case vm_place::kind::slot:
            return {-1, p.index}; // resolved in finish()
        case vm_place::kind::memory:
            return {base_of_stream(p.index), 0};
        case vm_place::kind::nowhere:
            break;
        }
        fail(error_kind::internal,
             "nest: a computed operand was expected, got one without a place");
    }

    nest_step call_step(int id) {
        const vm_node& v = node(id);
        nest_step s;
        s.fn = v.fn;
        if (v.what == vm_node::kind::chain) {
            s.fn = kernels.chain;
            plan->chain_steps.push_back(v.steps);
            plan->chains.push_back({plan->chain_steps.back().data(), int32_t(v.steps.size())});
            s.data = &plan->chains.back();
        } else if (v.scalar_call >= 0) {
            s.data = &plan->scalar_calls[std::size_t(v.scalar_call)];
        }
        s.first_operand = int32_t(plan->operands.size());
        s.operand_count = int32_t(v.operands.size());
        for (std::size_t i = 0; i < v.operands.size(); ++i) {
            plan->operands.push_back(ref_of(v.operands[i]));
            if (node(v.operands[i]).rate < v.rate)
                s.splats |= 1u << i;
        }
        return s;
    }

    nest_step load_step(int id) const {
        const vm_node& v = node(id);
        nest_step s;
        s.action = nest_action::load;
        s.load = v.load;
        s.stream = v.input;
        s.src = {base_of_stream(v.input), 0};
        s.tile_element = int32_t(vm_class_bytes(v.cls));
        return s;
    }

    void place_constant(int id) {
        place(id) = {vm_place::kind::constant, int(plan->constants.size())};
        plan->constants.push_back(node(id).bits);
    }

    // Values that change with the row at most.
    void emit_splats() {
        for (int id = 0; id < int(graph.nodes.size()); ++id) {
            if (live[std::size_t(id)] == 0 or per_element(id))
                continue;
            if (node(id).what == vm_node::kind::constant) {
                place_constant(id);
                continue;
            }
            if (reads_memory(id)) {
                place(id) = {vm_place::kind::memory, node(id).input};
                continue;
            }
            nest_step s = node(id).what == vm_node::kind::load ? load_step(id) : call_step(id);
            place(id) = {vm_place::kind::cell, cells++};
            s.dst = ref_of(id);
            (node(id).rate == vm_rate::once ? plan->once : plan->per_row).push_back(s);
        }
    }

    void release_operands(int at) {
        for (int o : node(sequence[std::size_t(at)]).operands)
            if (place(o).what == vm_place::kind::slot and last_use[std::size_t(o)] == at and
                per_element(o))
                release(o);
    }
    void release(int id) {
        slots.give_back(place(id).index);
        place(id).what = vm_place::kind::nowhere;
    }

    void emit_tile() {
        for (int at = 0; at < int(sequence.size()); ++at) {
            const int id = sequence[std::size_t(at)];
            if (reads_memory(id)) {
                place(id) = {vm_place::kind::memory, node(id).input};
                continue;
            }
            const bool loads = node(id).what == vm_node::kind::load;
            nest_step s = loads ? load_step(id) : call_step(id);
            const bool same_size = same_size_operands(id);
            if (same_size)
                release_operands(at);
            const int output = direct_output[std::size_t(id)];
            if (output >= 0)
                place(id) = {vm_place::kind::memory, plan->inputs + output};
            else
                place_in_slot(id);
            s.dst = ref_of(id);
            if (not same_size)
                release_operands(at);
            plan->per_tile.push_back(s);
            plan->nanoseconds_per_element += node(id).cost;
            if (place(id).what == vm_place::kind::slot and last_use[std::size_t(id)] < 0)
                release(id);
        }
        protect_copied_inputs();
        for (int k = 0; k < int(graph.stores.size()); ++k)
            emit_store(k);
    }

    void place_in_slot(int id) {
        place(id) = {vm_place::kind::slot, slots.take()};
        wide = wide or node(id).cls != vm_class::f32;
    }

    bool same_size_operands(int id) const {
        const auto& operands = node(id).operands;
        return std::all_of(operands.begin(), operands.end(), [&](int o) {
            return not per_element(o) or
                   vm_class_bytes(node(o).cls) == vm_class_bytes(node(id).cls);
        });
    }

    // Inputs that are stored as they are must not be read after another store, which may be to
    // their memory.
    void protect_copied_inputs() {
        if (graph.stores.size() < 2)
            return;
        for (const vm_store& s : graph.stores) {
            if (s.folds != nullptr or place(s.node).what != vm_place::kind::memory or
                place(s.node).index >= plan->inputs or not per_element(s.node))
                continue;
            nest_step copy = load_step(s.node);
            place(s.node) = {vm_place::kind::slot, slots.take_fresh()};
            wide = wide or node(s.node).cls != vm_class::f32;
            copy.dst = ref_of(s.node);
            plan->per_tile.insert(plan->per_tile.begin(), copy);
        }
    }

    void emit_store(int k) {
        const vm_store& s = graph.stores[std::size_t(k)];
        const int stream = plan->inputs + k;
        if (s.folds != nullptr) {
            emit_fold(s, stream);
            return;
        }
        plan->nanoseconds_per_element +=
            0.03 * double(plan->streams[std::size_t(stream)].element_bytes);
        if (direct_output[std::size_t(s.node)] == k)
            return;
        nest_step store;
        store.action = nest_action::store;
        store.store = s.fn;
        store.stream = stream;
        store.dst = {base_of_stream(stream), 0};
        store.tile_element = int32_t(vm_class_bytes(node(s.node).cls));
        if (per_element(s.node)) {
            store.src = ref_of(s.node);
            plan->per_tile.push_back(store);
            return;
        }
        nest_step fill;
        fill.fn = node(s.node).cls == vm_class::f32 ? fill_tile_4 : fill_tile_8;
        fill.first_operand = int32_t(plan->operands.size());
        fill.operand_count = 1;
        fill.splats = 1;
        plan->operands.push_back(ref_of(s.node));
        const int slot = slots.take();
        wide = wide or node(s.node).cls != vm_class::f32;
        fill.dst = {-1, slot};
        store.src = {-1, slot};
        plan->per_tile.push_back(fill);
        plan->per_tile.push_back(store);
        slots.give_back(slot);
    }

    // Accumulators lie behind the slots, whose number is known last: until then dst says which one.
    void emit_fold(const vm_store& s, int stream) {
        nest_step fold;
        fold.action = nest_action::fold;
        fold.folds = s.folds;
        fold.stream = stream;
        fold.src = ref_of(s.node);
        fold.splat = not per_element(s.node);
        fold.dst = {0, int32_t(plan->folds.size())};
        plan->folds.push_back(fold);
        plan->nanoseconds_per_element += 0.1;
    }

    void choose_tile() {
        const int64_t slot_element = wide ? 8 : 4;
        const int64_t inner = plan->dims.back();
        // What passes between calls stays in the first-level cache, beside the memory streams.
        const int resident = slots.size() > 0 ? slots.size() + int(plan->streams.size()) : 1;
        int64_t tile = tile_memory / (resident * slot_element) / 64 * 64;
        tile = blocks ? longest_tile : std::clamp(tile, shortest_tile, longest_tile);
        if (plan->rowwise and inner > 0) {
            const int64_t chunks = (inner + tile - 1) / tile;
            tile = round_up((inner + chunks - 1) / chunks, 64);
        }
        plan->tile = tile;
    }

    // Scratch: cells, then slots, then the cursors and the index that execution keeps.
    void finish() {
        choose_tile();
        const int64_t slot_bytes = plan->tile * (wide ? 8 : 4);
        const int64_t first_slot = round_up(cells * cell_bytes, 64);
        const auto resolve = [&](nest_ref& r) {
            if (r.base == -1)
                r = {0, int32_t(first_slot + r.offset * slot_bytes)};
        };
        for (nest_ref& r : plan->operands)
            resolve(r);
        plan->fold_vectors = vectors_at_once(graph);
        int64_t end = first_slot + slots.size() * slot_bytes;
        for (nest_step& f : plan->folds) {
            resolve(f.src);
            f.dst.offset = int32_t(end);
            end += fold_bytes;
        }
        for (auto* list : {&plan->once, &plan->per_row, &plan->per_tile})
            for (nest_step& s : *list) {
                resolve(s.dst);
                resolve(s.src);
            }
        const int64_t pointers =
            2 + 2 * int64_t(plan->streams.size()) + int64_t(plan->dims.size()) + 32;
        plan->scratch_bytes = std::size_t(end + round_up(pointers * 8, 64));
        describe();
    }

    void describe() {
        std::string& text = plan->listing;
        text = "tile " + std::to_string(plan->tile) +
               (plan->rowwise ? " in rows" : " across rows") + ", " + std::to_string(slots.size()) +
               " slots\n";
        for (int id : sequence) {
            if (reads_memory(id))
                continue;
            const vm_node& v = node(id);
            text += v.name;
            if (v.what == vm_node::kind::chain)
                text += " of " + std::to_string(v.steps.size());
            text += direct_output[std::size_t(id)] >= 0 ? " to memory\n" : "\n";
        }
    }
};

void share_code(artifact_store& artifacts, const std::shared_ptr<jit_code>& code) {
    const std::string name = saved_name(*code);
    if (const auto found = artifacts.find(name);
        found and take_saved(*code, reinterpret_cast<const char*>(found->data()), found->size()))
        return;
    artifacts.offer(name, [code] {
        const std::vector<char> bytes = saved_form(*code);
        return value::binary(bytes.data(), bytes.size());
    });
}

} // namespace

nest_backend chosen_nest_backend() {
    static const nest_backend chosen = [] {
        const std::string& name = forced_backend;
        if (name == "auto")
            return nest_backend::automatic;
        if (name == "tiles")
            return nest_backend::tiles;
        if (name == "jit")
            return nest_backend::generated;
        if (name == "interpreter")
            return nest_backend::interpreter;
        fail(error_kind::invalid_argument,
             "MIGRAPHX_CPU_NEST: auto, tiles, jit or interpreter was expected, got '" + name + "'");
    }();
    return chosen;
}

namespace {

// Machine code for the plan of `n`, now or later.
void add_code(nest_plan& plan, const nest& n, isa level, artifact_store* artifacts) {
    if (plan.backend == nest_backend::tiles or plan.elements == 0)
        return;
    plan.generated = make_jit_nest(n, level);
    if (plan.backend == nest_backend::automatic and
        not(plan.generated != nullptr and plan.generated->pays))
        plan.generated = nullptr;
    if (plan.generated != nullptr and artifacts != nullptr)
        share_code(*artifacts, plan.generated->code);
    if (plan.generated != nullptr and plan.backend == nest_backend::generated)
        compile_now(*plan.generated->code);
}

} // namespace

std::shared_ptr<const nest_plan> compile_nest(const codegen::nest& n, isa level,
                                              nest_backend backend, artifact_store* artifacts) {
    level = vector_level(level);
    codegen::nest simplified = codegen::simplify(n);
    codegen::nest source = simplified;
    auto tables = take_tables(simplified);
    auto plan = nest_scheduler(simplified, kernels_for(level).nest, level).run();
    plan->backend = backend;
    plan->tables = std::move(tables);
    if (backend == nest_backend::interpreter)
        plan->source = std::move(source);
    else
        add_code(*plan, simplified, level, artifacts);
    return plan;
}

std::shared_ptr<const nest_plan> compile_stage(const codegen::nest& n, isa level,
                                               nest_backend backend, artifact_store* artifacts) {
    level = vector_level(level);
    auto plan = nest_scheduler(n, kernels_for(level).nest, level, true).run();
    plan->backend = backend;
    add_code(*plan, n, level, artifacts);
    return plan;
}

} // namespace migraphx::cpu
