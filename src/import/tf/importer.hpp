// SPDX-License-Identifier: MIT
// From a frozen graph to a program: only the nodes that results need are read, producers first.
#pragma once

#include "import/import_observer.hpp"
#include "import/tf/loops.hpp"
#include "import/tf/node_reader.hpp"

#include <migraphx/program.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace migraphx::tf {

/// A reference of a node to another's result: "node", "node:2", in a function also "node:name:2".
struct value_name {
    std::string_view node;
    std::string_view result; ///< name in a function's body, or empty
    std::size_t index = 0;
};
value_name parse_value_name(std::string_view text);

/// Values of the nodes of one graph or function body.
class body {
public:
    body(const std::vector<node>& all, std::string_view name);
    /// The nodes of another, without values: a turn of a loop.
    body(const body& b, std::map<std::string_view, instructions> known)
        : values(std::move(known)), nodes(b.nodes), by_name(b.by_name), loops(b.loops) {}

    const node* find(std::string_view name) const;
    const graph_loop* find_loop(const node& n) const {
        return n.op_type == "Exit" ? loops->find(n) : nullptr;
    }
    std::map<std::string_view, instructions> values;

    const std::vector<node>& nodes;

private:
    std::shared_ptr<const node_index> by_name;
    std::shared_ptr<const loop_table> loops;
};

class importer {
public:
    /// `watcher` is told of each node of the main graph; one that cannot be read is no error then.
    importer(const model& m, const tf_options& o, import_observer* watcher = nullptr)
        : source(m), given(o), observer(watcher) {}

    program run();
    const tf_options& options() const { return given; }
    const model& get_model() const { return source; }
    program& get_program() { return result; }

    /// A tensor list whose elements have no shape until one is put in.
    void note_open_list(instruction_ref x) { open_lists.insert(x); }
    bool is_open_list(instruction_ref x) const { return open_lists.count(x) != 0; }

    /// The results of a library function for these arguments, read into `m`.
    instructions call(module& m, std::string_view function, const instructions& arguments);

private:
    void read_placeholders(module& m, body& b, const std::set<std::string_view>& needed);
    /// Reads what `wanted` needs, in any order of the file.
    void read_nodes(module& m, body& b, const std::vector<std::string_view>& wanted);
    std::vector<std::string_view> needed_nodes(const body& b,
                                               const std::vector<std::string_view>& wanted) const;
    void read_node(module& m, body& b, const node& n);
    void watched(module& m, body& b, const node& n, const std::function<instructions()>& read);
    instruction_ref put_lost(module& m);
    void read_loop(module& m, body& b, const node& exit, const graph_loop& loop);
    instruction_ref value_of(const body& b, std::string_view reference) const;
    std::vector<std::string> result_names(const body& b) const;
    instruction_ref placeholder(module& m, const node& n) const;

    const model& source;
    const tf_options& given;
    import_observer* observer;
    program result;
    std::size_t depth = 0;
    std::size_t nodes_read = 0;
    std::unordered_set<instruction_ref> open_lists;
    std::unordered_set<instruction_ref>
        lost; ///< results of nodes that an observed import could not read
};

} // namespace migraphx::tf
