// SPDX-License-Identifier: MIT
// From a frozen graph to a program: only the nodes that results need are read, producers first.
#pragma once

#include "import/tf/node_reader.hpp"

#include <migraphx/program.hpp>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace migraphx::tf {

/// A reference of a node to another's result: "node", "node:2", in a function also "node:name:2".
struct value_name {
    std::string_view node;
    std::string_view result; ///< name in a function's body, or empty
    std::size_t index = 0;
};
value_name parse_value_name(std::string_view text);

/// What watches an import; see report.
class import_observer {
public:
    virtual ~import_observer() = default;
    /// After a node is read: the instructions added since `first`, or at a failure the message.
    /// Returns whether the import goes on with unknown results.
    virtual void node_read(const node& n, module& m, std::size_t size_before) = 0;
    virtual bool node_failed(const node& n, const std::string& message, bool is_unknown) = 0;
};

/// Values of the nodes of one graph or function body.
class body {
public:
    body(const std::vector<node>& all, std::string_view name);

    const node* find(std::string_view name) const;
    std::map<std::string_view, instructions> values;

    const std::vector<node>& nodes;

private:
    std::unordered_map<std::string_view, const node*> by_name;
};

class importer {
public:
    importer(const model& m, const tf_options& o, import_observer* watcher = nullptr)
        : source(m), given(o), observer(watcher) {}

    program run();
    const tf_options& options() const { return given; }
    const model& get_model() const { return source; }
    program& get_program() { return result; }

    /// The results of a library function for these arguments, read into `m`.
    instructions call(module& m, std::string_view function, const instructions& arguments);

private:
    void read_placeholders(module& m, body& b, const std::set<std::string_view>& needed);
    /// Reads what `wanted` needs, in any order of the file.
    void read_nodes(module& m, body& b, const std::vector<std::string_view>& wanted);
    std::vector<std::string_view> needed_nodes(const body& b,
                                               const std::vector<std::string_view>& wanted) const;
    void read_node(module& m, body& b, const node& n);
    instruction_ref value_of(const body& b, std::string_view reference) const;
    std::vector<std::string> result_names(const body& b) const;
    instruction_ref placeholder(module& m, const node& n) const;

    const model& source;
    const tf_options& given;
    import_observer* observer;
    program result;
    std::size_t depth = 0;
    std::size_t nodes_read = 0;
};

} // namespace migraphx::tf
