// SPDX-License-Identifier: MIT
// dynamic_range, multinomial, lookup (device_code/values.cuh); views that are asked for as copies;
// results that shapes tell; operators whose shape is known already.
#include "targets/gpu/lower/copy.hpp"

#include "base/str.hpp"
#include "runtime/implementation_table.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

lowered range(const device_problem& p) {
    const auto type = device_type(p.output.type());
    if (type.empty())
        return lowered::refuse("type " + p.output.type_string());
    box b{lens_of(p.output), {strides_of(p.output)}};
    index_params params{b.is_large()};
    params.add(b.elements());
    params.add(b.strides[0][0]);
    generated g;
    g.name = g.entry = "range";
    g.source = entry_text("values.cuh", g.entry,
                          str("const ", type, "* start, const ", type, "* delta, ", type,
                              "* y, const range_params<", params.type(), "> p"),
                          "range_elements(y, start, delta, p);");
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    g.inputs = {0, 2};
    return one_launch(p, std::move(g));
}

lowered multinomial(const device_problem& p) {
    const auto &cumulative = p.inputs[0], &uniform = p.inputs[1], &out = p.output;
    for (const auto* s : {&cumulative, &uniform, &out})
        if (device_type(s->type()).empty())
            return lowered::refuse("type " + s->type_string());
    if (cumulative.lens()[1] == 0)
        return lowered::refuse("no classes");
    const auto rows = strides_of(cumulative);
    box b{lens_of(out), {strides_of(out), strides_of(uniform), {rows[0], 0}}};
    b.simplify();
    index_params params{b.is_large() or box{lens_of(cumulative), {rows}}.is_large()};
    params.add(b);
    params.add(int64_t(cumulative.lens()[1]));
    params.add(rows[1]);
    params.add(b.elements());
    generated g;
    g.name = g.entry = "multinomial";
    g.source =
        entry_text("values.cuh", g.entry,
                   str("const ", device_type(cumulative.type()), "* cumulative, const ",
                       device_type(uniform.type()), "* uniform, ", device_type(out.type()),
                       "* y, const multinomial_params<", b.rank(), ", ", params.type(), "> p"),
                   "multinomial_elements(y, cumulative, uniform, p);");
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    return one_launch(p, std::move(g));
}

lowered lookup(const device_problem& p) {
    const auto &x = p.inputs[0], &keys = p.inputs[1], &values = p.inputs[2], &out = p.output;
    const auto key = device_type(x.type());
    if (key.empty() or not is_movable(out))
        return lowered::refuse("type " + (key.empty() ? x : out).type_string());
    if (keys.elements() > 4096)
        return lowered::refuse("many keys");
    box b{lens_of(out), {strides_of(out), strides_of(x)}};
    b.simplify();
    index_params params{b.is_large()};
    params.add(b);
    for (auto v : {int64_t(keys.elements()), int64_t(keys.strides()[0]),
                   int64_t(values.strides()[0]), b.elements()})
        params.add(v);
    const auto value = str("u", 8 * out.type_size());
    generated g;
    g.name = g.entry = "lookup";
    g.source = entry_text("values.cuh", g.entry,
                          str("const ", key, "* x, const ", key, "* keys, const ", value,
                              "* values, const ", value, "* fallback, ", value,
                              "* y, const lookup_params<", b.rank(), ", ", params.type(), "> p"),
                          "lookup_elements(y, x, keys, values, fallback, p);");
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    return one_launch(p, std::move(g));
}

// The values come with the kernel.
lowered dimensions_of(const device_problem& p) {
    const auto start = p.op.get<std::size_t>("start"), end = p.op.get<std::size_t>("end");
    const auto& lens = p.inputs[0].lens();
    auto g = strided_copy(*p.on, 8, {lens_of(p.output), {strides_of(p.output), {1}}}, 0);
    const auto at = g.source.find("const char* x, char* y");
    if (at == std::string::npos)
        return lowered::refuse("no copy for this result");
    g.source.replace(at, 22, "char* y, const char* x");
    g.takes_inputs = false;
    for (auto i = start; i < end; i++) {
        const auto n = int64_t(lens[i]);
        const auto* bytes = reinterpret_cast<const char*>(&n);
        g.table.insert(g.table.end(), bytes, bytes + sizeof(n));
    }
    g.name = "dimensions";
    return one_launch(p, std::move(g));
}

lowered with_shape(const device_problem& p) {
    operation inner;
    from_value(p.op.attribute("op"), inner);
    auto q = p;
    q.op = inner.normalized(p.inputs);
    return first_that_takes(q, implementations_of(q.op.name()));
}

const implementations range_choices{{"dynamic_range"}, {{"range", range}}};
const implementations multinomial_choices{{"multinomial"}, {{"search", multinomial}}};
const implementations lookup_choices{{"lookup"}, {{"search", lookup}}};
const implementations dimensions_choices{{"dimensions_of"}, {{"values", dimensions_of}}};
const implementations with_shape_choices{{"with_shape"}, {{"the operator itself", with_shape}}};

} // namespace

} // namespace migraphx::gpu
