// SPDX-License-Identifier: MIT
// What an ONNX model needs.
#include <migraphx/model_report.hpp>

#include "base/str.hpp"
#include "import/onnx/importer.hpp"
#include "import/onnx/tensor.hpp"
#include "import/onnx/tensor_argument.hpp"
#include "import/quote.hpp"
#include "import/report_builder.hpp"

#include <set>

namespace migraphx::onnx {

namespace {

// As plain_type_name() writes them.
std::string element_name(element_type t) {
    return t == element_type::float32   ? "float32"
           : t == element_type::float64 ? "float64"
                                        : type_name(t);
}

std::string type_text(const type_info& t) {
    const auto inner = [&] {
        return t.element.empty() ? std::string("nothing") : type_text(t.element.front());
    };
    switch (t.is) {
    case type_info::kind::tensor:
        return element_name(t.elem);
    case type_info::kind::sparse_tensor:
        return "sparse " + element_name(t.elem);
    case type_info::kind::sequence:
        return "sequence of " + inner();
    case type_info::kind::optional:
        return "optional " + inner();
    case type_info::kind::map:
        return "map of " + element_name(t.key) + " to " + inner();
    default:
        return "no type";
    }
}

value dims_of(const type_info& t) {
    if (not t.has_shape)
        return nullptr;
    value dims = value::array{};
    for (const auto& d : t.dims)
        dims.push_back(d.is == dimension::kind::value   ? value(d.value)
                       : d.is == dimension::kind::param ? value(std::string(d.param))
                                                        : value(nullptr));
    return dims;
}

bool is_open(const type_info& t) {
    return not t.has_shape or std::any_of(t.dims.begin(), t.dims.end(), [](const auto& d) {
        return d.is != dimension::kind::value;
    });
}

class model_counter {
public:
    model_counter(const model& m, report_builder& b) : report(b), functions(m) {}

    // With the nodes of subgraphs; parameters are the initializers and constants of all graphs.
    void add(const graph& g) {
        for (const auto& t : g.initializers)
            add_parameter(t);
        for (const auto& t : g.sparse_initializers)
            add_parameter(t.values);
        for (const auto& v : g.value_infos)
            if (v.type.is == type_info::kind::tensor)
                report.add_type(element_name(v.type.elem));
        add(g.nodes);
    }
    void add(const std::vector<node>& nodes) {
        for (const auto& n : nodes) {
            report.count({n.domain, n.op_type, describe(n)},
                         functions.find(n) != nullptr or
                             find_operator(n.domain, n.op_type) != nullptr);
            for (const auto& a : n.attributes) {
                for (const auto& g : a.graphs)
                    add(g);
                if (n.op_type == "Constant" and n.domain.empty())
                    for (const auto& t : a.tensors)
                        add_parameter(t);
            }
        }
    }

private:
    void add_parameter(const tensor& t) {
        const auto n = element_count(t);
        report.add_parameters(double(n),
                              t.type == element_type::string ? 0 : double(byte_size(t.type, n)));
        report.add_type(element_name(t.type));
    }

    report_builder& report;
    function_table functions;
};

value tensor_lines(const std::vector<value_info>& list, const std::set<std::string_view>& left_out,
                   const std::unordered_map<std::string, shape>& read, report_builder& b) {
    value lines = value::array{};
    for (const auto& v : list) {
        if (left_out.count(v.name) != 0)
            continue;
        const auto it = read.find(std::string(v.name));
        const bool shows = it != read.end() and is_open(v.type);
        if (v.type.is == type_info::kind::tensor)
            b.add_type(element_name(v.type.elem));
        lines.push_back(tensor_line(std::string(v.name), type_text(v.type), dims_of(v.type),
                                    shows ? str(it->second) : ""));
    }
    return lines;
}

value make_report(const model& m, const std::string& file, const onnx_options& options) {
    check_model(m);
    const auto read = [&](report_builder& b, const onnx_options& o) {
        model_counter counter(m, b);
        counter.add(m.graph);
        for (const auto& f : m.functions)
            counter.add(f.nodes);
        return importer{m, o, &b}.run();
    };
    report_builder b;
    auto p = read(b, options);
    // Sizes that the model leaves open and that are taken as 1 may not fit it: what can be read is
    // seen with sizes that stay open.
    if (b.problem_count() > 0 and std::any_of(m.graph.inputs.begin(), m.graph.inputs.end(),
                                              [](const auto& v) { return is_open(v.type); })) {
        auto open = options;
        open.default_dim_value = 0;
        open.default_dyn_dim_value = {1, 4096};
        report_builder second;
        read(second, open);
        if (second.problem_count() < b.problem_count()) {
            second.take_work(b);
            b = std::move(second);
        }
    }

    b.head["file"] = file;
    b.head["format"] = str("ONNX, IR version ", m.ir_version);
    b.head["producer"] = std::string(m.producer_name) +
                         (m.producer_version.empty() ? "" : " " + std::string(m.producer_version));
    value opsets = value::object{};
    for (const auto& [domain, version] : m.opset_imports)
        opsets[domain.empty() ? std::string("ai.onnx") : std::string(domain)] = version;
    b.head["opsets"] = opsets;
    std::set<std::string_view> initializers;
    for (const auto& t : m.graph.initializers)
        initializers.insert(t.name);
    for (const auto& t : m.graph.sparse_initializers)
        initializers.insert(t.values.name);
    b.head["inputs"] = tensor_lines(m.graph.inputs, initializers, p.get_parameter_shapes(), b);
    std::unordered_map<std::string, shape> results;
    const auto shapes = p.get_output_shapes();
    for (std::size_t i = 0; i < shapes.size() and i < m.graph.outputs.size(); i++)
        if (shapes[i].type() == shape::tuple_type or not shapes[i].max_lens().empty())
            results[std::string(m.graph.outputs[i].name)] = shapes[i];
    b.head["outputs"] = tensor_lines(m.graph.outputs, {}, results, b);
    return b.finish();
}

} // namespace

} // namespace migraphx::onnx

namespace migraphx {

value report_onnx(const std::string& file, const onnx_options& options) {
    return with_context(
        [&] {
            onnx::read_options ro;
            ro.external_data_path = options.external_data_path;
            return onnx::make_report(onnx::read_model(file, ro), file, options);
        },
        [&] { return "while reading " + file; });
}

} // namespace migraphx
