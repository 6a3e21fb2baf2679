// SPDX-License-Identifier: MIT
// What a TensorFlow graph needs.
#include <migraphx/model_report.hpp>

#include "base/str.hpp"
#include "import/report_builder.hpp"
#include "import/tf/importer.hpp"

namespace migraphx::tf {

namespace {

// Constants are the parameters; the operators are what the results need.
class graph_report : public report_builder {
public:
    void node_read(const observed_node& n, const module_mark& before,
                   const std::vector<instruction_ref>& results) override {
        if (n.op_type == "Placeholder")
            return;
        if (n.op_type != "Const") {
            count(n, true);
            report_builder::node_read(n, before, results);
            return;
        }
        const auto& s = results.front()->get_shape();
        add_type(s);
        add_parameters(double(s.elements()), double(s.elements()) * double(s.type_size()));
    }
    void node_failed(const observed_node& n, const exception& e) override {
        count(n, find_operator(n.op_type) != nullptr);
        report_builder::node_failed(n, e);
    }
    void node_left_out(const observed_node& n) override {
        count(n, find_operator(n.op_type) != nullptr);
        report_builder::node_left_out(n);
    }
};

value dims_of(const attribute* shape) {
    if (shape == nullptr or shape->shapes.empty() or shape->shapes.back().unknown_rank)
        return nullptr;
    value dims = value::array{};
    for (auto d : shape->shapes.back().dims)
        dims.push_back(d < 0 ? value(nullptr) : value(d));
    return dims;
}

value dims_of(const shape& s) {
    value dims = value::array{};
    if (graph_builder::is_scalar(s))
        return dims;
    const auto least = s.min_lens(), most = s.max_lens();
    for (std::size_t i = 0; i < most.size(); i++)
        dims.push_back(least[i] == most[i] ? value(int64_t(most[i])) : value(nullptr));
    return dims;
}

value input_lines(const model& m, program& p, report_builder& b) {
    value lines = value::array{};
    for (const auto& n : m.nodes) {
        if (n.op_type != "Placeholder")
            continue;
        const auto* type = n.find("dtype");
        const auto t =
            static_cast<data_type>(type == nullptr or type->ints.empty() ? 0 : type->ints.back());
        const auto own = to_shape_type(t);
        const auto name = std::string(n.name);
        const auto shapes = p.get_parameter_shapes();
        const auto it = shapes.find(name);
        const auto type_text = own ? plain_type_name(*own) : type_name(t);
        b.add_type(type_text);
        lines.push_back(tensor_line(name, type_text, dims_of(n.find("shape")),
                                    it == shapes.end() ? "" : str(it->second)));
    }
    return lines;
}

} // namespace

} // namespace migraphx::tf

namespace migraphx {

value report_tf(const std::string& file, const tf_options& options) {
    return with_context(
        [&] {
            const auto m = tf::read_model(file);
            tf::graph_report b;
            auto p = tf::importer(m, options, &b).run();
            b.head["file"] = file;
            b.head["format"] = "TensorFlow GraphDef";
            b.head["producer"] = "";
            b.head["opsets"] = value::object{};
            b.head["inputs"] = tf::input_lines(m, p, b);
            value outputs = value::array{};
            const auto shapes = p.get_output_shapes();
            const auto names = p.get_output_names();
            for (std::size_t i = 0; i < shapes.size() and i < names.size(); i++)
                outputs.push_back(tensor_line(names[i], plain_type_name(shapes[i].type()),
                                              tf::dims_of(shapes[i])));
            b.head["outputs"] = outputs;
            return b.finish();
        },
        [&] { return "while reading " + file; });
}

} // namespace migraphx
