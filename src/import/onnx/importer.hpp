// SPDX-License-Identifier: MIT
// From an ONNX graph to instructions. Each operator is read by a function over a `node_reader`,
// which gives it the node's attributes and operands and adds instructions; operator families live
// in ops_*.cpp and register themselves.
#pragma once

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/onnx.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/program.hpp>

#include "import/graph_builder.hpp"
#include "import/import_observer.hpp"
#include "import/onnx/graph_check.hpp"
#include "import/onnx/known_dims.hpp"
#include "import/onnx/model.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace migraphx::onnx {

using instructions = std::vector<instruction_ref>;

class importer;

/// One node being read. Operands are the instructions of its inputs; one left out is an
/// `undefined`.
class node_reader : public graph_builder {
public:
    node_reader(importer& i, module& m, const node& n, int64_t version, instructions operands);

    const node& get_node() const { return source; }
    int64_t opset() const { return version; }
    const onnx_options& options() const;
    importer& whole() { return owner; }

    // ---- operands
    const instructions& inputs() const { return args; }
    std::size_t input_count() const { return args.size(); }
    /// Throws when the node has no such input or it was left out.
    instruction_ref input(std::size_t i) const;
    /// The input was given.
    bool has(std::size_t i) const;
    /// Throws unless the node has between `least` and `most` inputs.
    void expect_inputs(std::size_t least, std::size_t most) const;
    const shape& shape_of(std::size_t i) const { return input(i)->get_shape(); }
    std::size_t rank_of(std::size_t i) const { return shape_of(i).ndim(); }
    /// The value of an input that is known at import; nullopt when only a run gives it.
    std::optional<argument> constant(std::size_t i) const;
    /// The same as integers or floats.
    std::optional<std::vector<int64_t>> constant_ints(std::size_t i) const;
    std::optional<std::vector<float>> constant_floats(std::size_t i) const;
    /// What is known of an input that holds sizes; see known_dims.hpp.
    known_dims sizes(std::size_t i) const;
    /// Number of dimensions as ONNX counts them.
    std::size_t onnx_rank(std::size_t i) const { return is_scalar(shape_of(i)) ? 0 : rank_of(i); }
    std::size_t output_count() const { return source.outputs.size(); }
    bool wants_output(std::size_t i) const {
        return i < source.outputs.size() and not source.outputs[i].empty();
    }

    // ---- attributes; a wrong type is an error that names the attribute
    const attribute* find(std::string_view name) const { return source.find(name); }
    bool has_attribute(std::string_view name) const { return find(name) != nullptr; }
    int64_t integer(std::string_view name, int64_t fallback) const;
    float real(std::string_view name, float fallback) const;
    std::string text(std::string_view name, std::string_view fallback) const;
    std::vector<int64_t> integers(std::string_view name, std::vector<int64_t> fallback = {}) const;
    std::vector<float> reals(std::string_view name, std::vector<float> fallback = {}) const;
    std::vector<std::string> texts(std::string_view name) const;
    /// Attributes that must be there.
    int64_t integer(std::string_view name) const;
    const graph& subgraph(std::string_view name) const;

private:
    const attribute* typed(std::string_view name, attribute_type t) const;

    importer& owner;
    const node& source;
    int64_t version;
    instructions args;
};

using node_function = instructions (*)(node_reader&);

/// Registers readers: `const operators conv{{"Conv", read_conv}, …};`. `domain` "" is ONNX's own.
struct operator_row {
    const char* name;
    node_function read;
    const char* domain = "";
    const char* limits = ""; ///< what the engine does not read of it, for docs/onnx.md
};
struct operators {
    operators(std::initializer_list<operator_row> rows);
};

/// The reader of an operator, or null.
node_function find_operator(std::string_view domain, std::string_view name);
/// All of them, by domain and name.
std::vector<operator_row> list_operators();

/// Values by name, innermost scope last.
class scope {
public:
    explicit scope(const scope* outer = nullptr) : parent(outer) {}
    void set(std::string_view name, instruction_ref ins) { names[name] = ins; }
    const instruction_ref* find(std::string_view name) const;

private:
    const scope* parent;
    std::unordered_map<std::string_view, instruction_ref> names;
};

/// Builds a program from a checked model.
class importer {
public:
    /// `watcher` is told of each node of the main graph; one that cannot be read is no error then.
    importer(const model& m, const onnx_options& o, import_observer* watcher = nullptr);

    program run();
    const onnx_options& options() const { return given; }
    const model& get_model() const { return source; }
    program& get_program() { return result; }
    const known_dims_table& sizes() const { return known; }

    /// Reads a subgraph into a new module of the program, whose first parameters have these shapes.
    /// The module returns the graph's outputs, in order.
    module_ref read_subgraph(const graph& g, const std::string& name, const scope& outer,
                             const std::vector<shape>& parameters = {});
    /// The values of a subgraph's outputs, read into `m`; `names` has its inputs.
    instructions read_subgraph_body(module& m, const graph& g, scope& names);
    /// The shape of a value of this type: of open dimensions any size, of open rank unranked.
    /// Throws, naming `subject`, for types that the engine does not have.
    shape value_shape(const type_info& t, const std::string& subject) const;
    /// The scope of the node that is being read.
    const scope& current() const { return *scopes.back(); }
    /// A fresh module in the program.
    module_ref new_module(const std::string& name);
    /// Reads nodes of `g` into `m`; the values of its outputs.
    instructions read_body(module& m, const graph& g, scope& names);
    /// Inlines a graph in the current module (a branch that is known to be taken).
    instructions read_inline(module& m, const graph& g);

private:
    void read_inputs(module& m, scope& names);
    void note_dimension_names(const module& m);
    void warn_of_unknown_names() const;
    shape input_shape(const value_info& v) const;
    void read_initializers(module& m, const graph& g, scope& names);
    void read_nodes(module& m, const std::vector<node>& nodes,
                    const std::vector<std::size_t>& order, scope& names, const function* inside);
    void read_node(module& m, const node& n, scope& names, const function* inside);
    void read_watched(module& m, const node& n, scope& names);
    instructions call_function(module& m, const node& n, const function& f,
                               const instructions& args);

    const model& source;
    const onnx_options& given;
    program result;
    function_table functions;
    std::vector<const scope*> scopes;
    known_dims_table known;
    std::size_t depth = 0;
    import_observer* observer = nullptr;
    std::unordered_set<instruction_ref> lost; ///< results of nodes that could not be read
    std::vector<std::unique_ptr<std::vector<node>>>
        expanded; ///< function bodies with attributes filled in
};

} // namespace migraphx::onnx
