// SPDX-License-Identifier: MIT
// The operator tables as JSON, from which tools/make_docs.py makes the pages of docs/.
#include "driver/listing_json.hpp"

#include <migraphx/op_info.hpp>
#include <migraphx/operation.hpp>
#include <migraphx/register_op.hpp>

#include "import/onnx/importer.hpp"
#include "import/tf/node_reader.hpp"

namespace migraphx::driver {

namespace {

// The default of an attribute as it is printed: enumerations by word.
value default_of(const field_info& f, const value& all) {
    const auto v = all.contains(f.name) ? all.at(f.name).without_key() : value(nullptr);
    if (not f.words.empty() and (v.is_int64() or v.is_uint64())) {
        const auto i = v.to<std::size_t>();
        if (i < f.words.size())
            return f.words[i];
    }
    return v;
}

} // namespace

value operator_table() {
    value table = value::array{};
    for (const auto& name : get_operators()) {
        const auto op = load_op(name);
        const auto& info = op.info();
        const auto defaults = op.to_value();
        value attributes = value::array{};
        for (const auto& f : info.fields)
            attributes.push_back(
                {{"name", f.name}, {"default", default_of(f, defaults)}, {"doc", f.doc}});
        value traits = value::array{};
        const auto trait = [&](bool has, const char* text) {
            if (has)
                traits.push_back(text);
        };
        trait(info.is_pointwise, "pointwise");
        trait(info.is_commutative, "commutative");
        trait(info.is_view, "view");
        trait(info.is_builtin, "builtin");
        trait(info.has_side_effect, "side effect");
        trait(not info.shape_inputs.empty(), "shape from values");
        trait(not info.compute and not info.is_builtin, "no reference");
        table.push_back({{"name", name},
                         {"summary", info.summary},
                         {"attributes", attributes},
                         {"traits", traits}});
    }
    return table;
}

value onnx_table() {
    value table = value::array{};
    for (const auto& row : onnx::list_operators())
        table.push_back({{"domain", std::string(row.domain)},
                         {"name", std::string(row.name)},
                         {"limits", std::string(row.limits)}});
    return table;
}

value tf_table() {
    value table = value::array{};
    for (const auto& row : tf::list_operators())
        table.push_back(
            {{"domain", ""}, {"name", std::string(row.name)}, {"limits", std::string(row.limits)}});
    return table;
}

} // namespace migraphx::driver
