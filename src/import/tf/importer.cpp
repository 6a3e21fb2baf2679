// SPDX-License-Identifier: MIT
// Graphs and function bodies: order, placeholders, results.
#include "import/tf/importer.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/make_op.hpp>

#include "import/quote.hpp"

#include <algorithm>
#include <charconv>

namespace migraphx::tf {

value_name parse_value_name(std::string_view text) {
    value_name v;
    const auto colon = text.find(':');
    v.node = text.substr(0, colon);
    if (colon == std::string_view::npos)
        return v;
    auto rest = text.substr(colon + 1);
    const auto second = rest.find(':');
    if (second != std::string_view::npos) {
        v.result = rest.substr(0, second);
        rest = rest.substr(second + 1);
    }
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), v.index);
    if (error != std::errc{} or end != rest.data() + rest.size())
        fail(error_kind::invalid_argument,
             "reference " + in_quotes(text) +
                 ": node, node:number or node:result:number was expected");
    return v;
}

namespace {

bool is_control(std::string_view input) {
    return input.starts_with('^');
}

bool is_skipped(const node& n) {
    return n.op_type == "NoOp" or n.op_type == "Assert";
}

bool is_placeholder(const node& n) {
    return n.op_type == "Placeholder";
}

// Not computed: the other side of a Switch, or what depends on a node that an observed import left
// out.
bool is_dead(instruction_ref x) {
    return x->name() == "undefined";
}

instruction_ref dead(module& m) {
    return m.insert_instruction(m.insert_end(), make_op("undefined"), instructions{});
}

std::size_t flat_index(const node& n, const value_name& v) {
    const auto* row = find_operator(n.op_type);
    if (v.result.empty() or row == nullptr or row->results.empty())
        return v.index;
    const auto at = std::find(row->results.begin(), row->results.end(), v.result);
    if (at == row->results.end())
        fail(error_kind::invalid_argument, str("result ", in_quotes(v.result), " of ", describe(n),
                                               ": one of ", row->results, " was expected"));
    return std::size_t(at - row->results.begin()) + v.index;
}

} // namespace

namespace {

// One level further in: a function or the turns of a loop.
struct deeper {
    std::size_t& depth;
    explicit deeper(std::size_t& d) : depth(d) { ++depth; }
    ~deeper() { --depth; }
    deeper(const deeper&) = delete;
    deeper& operator=(const deeper&) = delete;
};

std::shared_ptr<const node_index> make_index(const std::vector<node>& all, std::string_view name) {
    auto index = std::make_shared<node_index>();
    index->reserve(all.size());
    for (const auto& n : all)
        if (not index->emplace(n.name, &n).second)
            fail(error_kind::invalid_argument,
                 "graph " + in_quotes(name) +
                     ": nodes of different names were expected, got two of " + in_quotes(n.name));
    return index;
}

} // namespace

body::body(const std::vector<node>& all, std::string_view name)
    : nodes(all), by_name(make_index(all, name)),
      loops(std::make_shared<loop_table>(all, *by_name)) {}

const node* body::find(std::string_view name) const {
    const auto it = by_name->find(name);
    return it == by_name->end() ? nullptr : it->second;
}

instruction_ref importer::value_of(const body& b, std::string_view reference) const {
    const auto v = parse_value_name(reference);
    const auto it = b.values.find(v.node);
    if (it == b.values.end())
        fail(error_kind::invalid_argument,
             "a value was expected for " + in_quotes(reference) + ", got none");
    const auto& all = it->second;
    if (all.size() == 1 and is_dead(all[0]))
        return all[0];
    const auto* n = b.find(v.node);
    const auto index = n == nullptr ? v.index : flat_index(*n, v);
    if (index >= all.size())
        fail(n == nullptr ? error_kind::invalid_argument : error_kind::unsupported,
             str("result ", index, " of ", n == nullptr ? in_quotes(v.node) : describe(*n),
                 ": one of the first ", all.size(), " was expected"));
    return all[index];
}

std::vector<std::string_view>
importer::needed_nodes(const body& b, const std::vector<std::string_view>& wanted) const {
    enum class state : std::uint8_t { entered, done };
    struct step {
        const node* n;
        std::vector<std::string_view> inputs;
        std::size_t next = 0;
    };
    // A loop as a whole needs the values that enter it.
    const auto inputs_of = [&](const node& n) {
        const auto* loop = b.find_loop(n);
        if (loop == nullptr)
            return n.inputs;
        std::vector<std::string_view> result;
        for (const auto& v : loop->variables)
            result.push_back(v.first);
        for (const auto* c : loop->constants)
            result.push_back(c->inputs[0]);
        return result;
    };
    std::unordered_map<std::string_view, state> states;
    std::vector<std::string_view> order;
    std::vector<step> path;
    const auto enter = [&](std::string_view reference, const node* from) {
        const auto name = parse_value_name(reference).node;
        if (b.values.count(name) != 0)
            return;
        const auto* n = b.find(name);
        if (n == nullptr)
            fail(error_kind::invalid_argument,
                 from == nullptr
                     ? "result " + in_quotes(reference) + ": a node of the graph was expected"
                     : describe(*from) + ": a node of the graph was expected for input " +
                           in_quotes(reference));
        const auto [it, is_new] = states.emplace(name, state::entered);
        if (is_new)
            path.push_back({n, inputs_of(*n)});
        else if (it->second == state::entered)
            fail(error_kind::unsupported,
                 describe(*n) + ": a graph without circles that are no loops was expected");
    };
    for (auto reference : wanted) {
        enter(reference, nullptr);
        while (not path.empty()) {
            auto& top = path.back();
            if (top.next < top.inputs.size()) {
                const auto input = top.inputs[top.next++];
                const auto* from = top.n;
                if (not is_control(input))
                    enter(input, from);
                continue;
            }
            states[top.n->name] = state::done;
            order.push_back(top.n->name);
            path.pop_back();
        }
    }
    return order;
}

instruction_ref importer::placeholder(module& m, const node& n) const {
    const node_reader reader{const_cast<importer&>(*this), m, n, {}};
    const auto type = reader.type("dtype");
    const std::string name(n.name);
    const auto given_dims = given.map_input_dims.find(name);
    std::vector<std::size_t> lens;
    bool moved = false;
    if (given_dims != given.map_input_dims.end()) {
        lens = given_dims->second;
        moved = given.is_nhwc and lens.size() == 4;
    } else {
        const auto* a = n.find("shape");
        if (a == nullptr or a->shapes.empty() or a->shapes.back().unknown_rank)
            reader.malformed("attribute \"shape\" with a known rank was expected, got none; give "
                             "the dimensions of the input (map_input_dims, --input-dim)");
        for (auto d : a->shapes.back().dims)
            lens.push_back(d > 0 ? std::size_t(d) : given.batch_size);
        moved = given.is_nhwc and lens.size() == 4;
        if (moved)
            lens = {lens[0], lens[3], lens[1], lens[2]};
    }
    const auto x =
        m.insert_parameter(m.end(), name, lens.empty() ? shape{type} : shape{type, lens});
    return moved ? reader.transpose(x, {0, 2, 3, 1}) : x;
}

void importer::read_placeholders(module& m, body& b, const std::set<std::string_view>& needed) {
    for (const auto& n : b.nodes)
        if (is_placeholder(n) and needed.count(n.name) != 0)
            with_context([&] { watched(m, b, n, [&] { return instructions{placeholder(m, n)}; }); },
                         [&] { return "at TensorFlow " + describe(n); });
}

void importer::read_nodes(module& m, body& b, const std::vector<std::string_view>& wanted) {
    const auto order = needed_nodes(b, wanted);
    if (&m == result.get_main_module() and depth == 0)
        read_placeholders(m, b, {order.begin(), order.end()});
    for (auto name : order)
        if (const auto& n = *b.find(name); b.values.count(name) == 0)
            with_context([&] { read_node(m, b, n); },
                         [&] { return "at TensorFlow " + describe(n); });
}

void importer::read_loop(module& m, body& b, const node& exit, const graph_loop& loop) {
    instructions state;
    std::map<std::string_view, instructions> constants;
    for (const auto& v : loop.variables)
        state.push_back(value_of(b, v.first));
    for (const auto* c : loop.constants)
        constants[c->name] = {value_of(b, c->inputs[0])};
    const auto turn = [&](module& at, const instructions& now,
                          const std::vector<std::string_view>& wanted) {
        const deeper here(depth);
        body inner(b, constants);
        for (std::size_t i = 0; i < now.size(); i++) {
            inner.values[loop.variables[i].merge->name] = {now[i], now[i]};
            inner.values[loop.variables[i].turn->name] = {now[i], now[i]};
        }
        read_nodes(at, inner, wanted);
        instructions results;
        for (auto w : wanted)
            results.push_back(value_of(inner, w));
        return results;
    };
    std::vector<std::string_view> next;
    for (const auto& v : loop.variables)
        next.push_back(v.next);
    const node_reader reader(*this, m, exit, {});
    const auto last =
        build_loop(reader, state,
                   {[&](module& at, const instructions& now) {
                        return turn(at, now, {loop.condition}).front();
                    },
                    [&](module& at, const instructions& now) { return turn(at, now, next); }});
    for (std::size_t i = 0; i < last.size(); i++)
        if (const auto* e = loop.variables[i].exit)
            b.values[e->name] = {last[i]};
}

void importer::read_node(module& m, body& b, const node& n) {
    instructions args;
    bool any_dead = false, any_lost = false;
    const auto* loop = b.find_loop(n);
    std::vector<std::string_view> inputs = n.inputs;
    if (loop != nullptr) {
        inputs.clear();
        for (const auto& v : loop->variables)
            inputs.push_back(v.first);
    }
    for (auto input : inputs) {
        if (is_control(input))
            continue;
        args.push_back(value_of(b, input));
        any_dead = any_dead or is_dead(args.back());
        any_lost = any_lost or lost.count(args.back()) != 0;
    }
    if (any_lost) {
        observer->node_left_out({{}, n.op_type, describe(n)});
        b.values[n.name] = {put_lost(m)};
        return;
    }
    if (any_dead and n.op_type != "Merge") {
        b.values[n.name] = {dead(m)};
        return;
    }
    // Functions that call each other twice and more would double the graph at each level.
    constexpr std::size_t most_nodes = std::size_t{1} << 22;
    if (++nodes_read > most_nodes)
        fail(error_kind::unsupported,
             str("graph: at most ", most_nodes,
                 " nodes after the expansion of functions were expected, got more"));
    if (loop != nullptr) {
        watched(m, b, n, [&]() -> instructions {
            read_loop(m, b, n, *loop);
            return b.values.at(n.name);
        });
        return;
    }
    const auto* row = find_operator(n.op_type);
    watched(m, b, n, [&]() -> instructions {
        node_reader reader{*this, m, n, args};
        if (row != nullptr)
            return row->read(reader);
        if (source.find_function(n.op_type) != nullptr)
            return call(m, n.op_type, args);
        fail(error_kind::unsupported,
             "Unknown operator: " + printable(n.op_type) +
                 "; `migraphx-driver tf --list` prints those that can be read");
    });
}

void importer::watched(module& m, body& b, const node& n,
                       const std::function<instructions()>& read) {
    if (observer == nullptr or depth != 0) {
        b.values[n.name] = read();
        return;
    }
    const observed_node seen{{}, n.op_type, describe(n)};
    try {
        const module_mark before(m);
        b.values[n.name] = read();
        observer->node_read(seen, before, b.values[n.name]);
    } catch (const exception& e) {
        observer->node_failed(seen, e);
        b.values[n.name] = {put_lost(m)};
    }
}

instruction_ref importer::put_lost(module& m) {
    const auto ins = dead(m);
    lost.insert(ins);
    return ins;
}

std::vector<std::string> importer::result_names(const body& b) const {
    if (not given.output_node_names.empty())
        return given.output_node_names;
    std::set<std::string_view> consumed;
    for (const auto& n : b.nodes)
        for (auto input : n.inputs)
            consumed.insert(parse_value_name(is_control(input) ? input.substr(1) : input).node);
    std::vector<std::string> names;
    for (const auto& n : b.nodes)
        if (consumed.count(n.name) == 0 and n.op_type != "Const" and not is_skipped(n) and
            not is_placeholder(n))
            names.emplace_back(n.name);
    if (names.empty())
        fail(error_kind::invalid_argument,
             "graph: a node that no other consumes was expected as its result, got none");
    return names;
}

program importer::run() {
    auto& main = *result.get_main_module();
    body b(source.nodes, "main");
    const auto wanted = result_names(b);
    read_nodes(main, b, {wanted.begin(), wanted.end()});
    std::vector<std::string> names;
    instructions outputs;
    const auto add = [&](instruction_ref x, std::string name) {
        if (is_dead(x))
            return;
        if (given.is_nhwc and not x->get_shape().dynamic() and x->get_shape().ndim() == 4)
            x = node_reader(*this, main, source.nodes.front(), {}).transpose(x, {0, 3, 1, 2});
        outputs.push_back(x);
        names.push_back(std::move(name));
    };
    for (const auto& reference : wanted) {
        // All results of a node that nobody consumes, else the one that is named.
        const auto it = b.values.find(std::string_view(reference));
        if (it == b.values.end() or not given.output_node_names.empty())
            add(value_of(b, reference), reference);
        else
            for (std::size_t i = 0; i < it->second.size(); i++)
                add(it->second[i], i == 0 ? reference : reference + ":" + std::to_string(i));
    }
    main.add_return(outputs);
    result.remove_unused_modules();
    result.set_output_names(std::move(names));
    return std::move(result);
}

instructions importer::call(module& m, std::string_view name, const instructions& arguments) {
    const auto* f = source.find_function(name);
    if (f == nullptr)
        fail(error_kind::invalid_argument,
             "a function " + in_quotes(name) + " was expected in the library, got none");
    if (f->inputs.size() != arguments.size())
        fail(error_kind::invalid_argument, str("function ", in_quotes(name), ": ", f->inputs.size(),
                                               " arguments were expected, got ", arguments.size()));
    if (depth >= 64)
        fail(error_kind::invalid_argument,
             "function " + in_quotes(name) + ": calls at most 64 deep were expected, got more");
    const deeper here(depth);
    return with_context(
        [&] {
            body b(f->nodes, f->name);
            for (std::size_t i = 0; i < arguments.size(); i++)
                b.values[f->inputs[i]] = {arguments[i]};
            std::vector<std::string_view> wanted;
            for (const auto& o : f->outputs)
                wanted.push_back(o.from);
            read_nodes(m, b, wanted);
            instructions results;
            for (auto w : wanted)
                results.push_back(value_of(b, w));
            return results;
        },
        [&] { return "in function " + in_quotes(name); });
}

namespace {

program build(const model& m, const tf_options& options) {
    return importer{m, options}.run();
}

} // namespace

} // namespace migraphx::tf

namespace migraphx {

program parse_tf(const std::string& name, const tf_options& options) {
    return with_context([&] { return tf::build(tf::read_model(name), options); },
                        [&] { return "while reading " + name; });
}

program parse_tf_buffer(const void* data, std::size_t size, const tf_options& options) {
    return with_context([&] { return tf::build(tf::read_model(data, size), options); },
                        [&] { return std::string("while reading a graph in memory"); });
}

program parse_tf_buffer(const std::string& buffer, const tf_options& options) {
    return parse_tf_buffer(buffer.data(), buffer.size(), options);
}

} // namespace migraphx
