// SPDX-License-Identifier: MIT
// The operators of the pointwise table: shape rule, evaluation and registration of every row.
#include "ops/elementwise.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/pointwise_table.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/op/max.hpp>
#include <migraphx/op/min.hpp>

#include <cstring>

namespace migraphx {

namespace {

constexpr std::size_t most_operands = 4;

// The attribute of a row, if it has one; the row itself belongs to the operator's record.
struct pointwise_attributes {
    float value = 0;
};

// f(first operand values of one element) -> result, for all elements; all operands have type T.
template <class T, class F>
void map_elements(const argument& out, const std::vector<argument>& in, F f) {
    for_each_part(elements_to_store(out), [&](std::size_t first, std::size_t count) {
        std::vector<T> values(in.size() * count);
        for (std::size_t i = 0; i < in.size(); ++i)
            load(in[i], first, count, values.data() + i * count);
        T operands[most_operands] = {};
        for (std::size_t n = 0; n < count; ++n) {
            for (std::size_t i = 0; i < in.size(); ++i)
                operands[i] = values[i * count + n];
            values[n] = f(operands);
        }
        store(out, first, count, values.data());
    });
}

void compute_row(const pointwise_row& row, double attribute, const argument& out,
                 const std::vector<argument>& in) {
    const auto type = in[0].get_shape().type();
    const auto real = [&](double* x) {
        x[row.arity] = attribute;
        return row.real(x);
    };
    if (shape::is_integral(type) or type == shape::bool_type)
        map_elements<int64_t>(
            out, in, [&](const int64_t* x) { return evaluate_integer(row, type, x, attribute); });
    else
        map_elements<double>(out, in, real);
}

shape row_shape(const pointwise_row& row, const std::vector<shape>& in) {
    const expect check(in);
    check.count(static_cast<std::size_t>(row.arity)).tensor().same_type();
    check.that(in[0].computable(),
               str("elements of a type to compute with were expected, got ", in[0].type_string()));
    if (row.integral_only and in[0].type() != shape::bool_type)
        check.integral();
    return pointwise_shape(in, row.bool_result ? shape::bool_type : in[0].type(), row.name);
}

op_info row_info(const pointwise_row& row) {
    op_info info;
    info.name = row.name;
    info.summary = row.summary;
    info.type = &typeid(pointwise_attributes);
    if (info.name == "max")
        info.type = &typeid(op::max);
    if (info.name == "min")
        info.type = &typeid(op::min);
    info.is_pointwise = true;
    info.is_commutative = row.commutative;
    const auto initial = static_cast<float>(row.attribute_default);
    info.create = [initial]() -> std::shared_ptr<void> {
        return std::make_shared<pointwise_attributes>(pointwise_attributes{initial});
    };
    info.clone = [](const void* p) -> std::shared_ptr<void> {
        return std::make_shared<pointwise_attributes>(*static_cast<const pointwise_attributes*>(p));
    };
    if (row.attribute != nullptr) {
        field_list<pointwise_attributes> fields{info.fields};
        fields.add(row.attribute, &pointwise_attributes::value, "coefficient of the formula");
    }
    info.attributes = [&row](const void*) { return value{{"point_op", row.kernel}}; };
    info.infer = [&row](const void*, const std::vector<shape>& in, const std::vector<module_ref>&) {
        return row_shape(row, in);
    };
    info.compute = [&row](const void* self, context*, const shape& output,
                          const std::vector<argument>& in, const std::vector<module_ref>&,
                          const module_runner&) {
        auto out =
            argument::uninitialized(output.dynamic() ? row_shape(row, to_shapes(in)) : output);
        compute_row(row, static_cast<double>(static_cast<const pointwise_attributes*>(self)->value),
                    out, in);
        return out;
    };
    return info;
}

// `where` has a condition of another type; `identity` is a view, in its own file.
bool has_own_rule(const pointwise_row& row) {
    return std::strcmp(row.name, "where") == 0 or std::strcmp(row.name, "identity") == 0;
}

bool register_rows() {
    for (const auto& row : pointwise_rows())
        if (not has_own_rule(row))
            register_op_info(row_info(row));
    return true;
}

const bool pointwise_rows_registered = register_rows();

// where(cond, x, y): x where cond is nonzero, else y. A condition of one element decides for all.
struct where_op {
    static constexpr auto name = "where";
    static constexpr auto summary = "x where the condition is nonzero, else y";
    static void traits(op_info& info) { info.is_pointwise = true; }
    value attributes() const { return {{"point_op", find_pointwise_row("where")->kernel}}; }

    static bool one_condition(const shape& cond, const shape& x) {
        return not cond.dynamic() and cond.elements() == 1 and not shape::same_lens(cond, x);
    }
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(3).tensor().only(1, 3).same_type();
        const std::vector<shape> choices{in[1], in[2]};
        const auto type = in[1].type();
        // Checks the dimensions of all three.
        const auto all = pointwise_shape(one_condition(in[0], in[1]) ? choices : in, type, name);
        if (all.dynamic() and not all.symbolic())
            return all;
        const bool decided =
            in[1].packed() or in[2].packed() or in[1].broadcasted() != in[2].broadcasted();
        return decided ? pointwise_shape(choices, type, name) : all.as_standard();
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        if (one_condition(in[0].get_shape(), in[1].get_shape())) {
            const bool first = load<double>(in[0])[0] != 0;
            copy_elements(out, in[first ? 1 : 2]);
            return;
        }
        with_number(out.get_shape().type(), [&](auto zero) {
            using number = decltype(zero);
            for_each_part(elements_to_store(out), [&](std::size_t first, std::size_t count) {
                std::vector<double> cond(count);
                std::vector<number> x(count), y(count);
                load(in[0], first, count, cond.data());
                load(in[1], first, count, x.data());
                load(in[2], first, count, y.data());
                for (std::size_t i = 0; i < count; ++i)
                    if (cond[i] == 0)
                        x[i] = y[i];
                store(out, first, count, x.data());
            });
        });
    }
};

const registered_op<where_op> where_registered;

} // namespace

} // namespace migraphx
