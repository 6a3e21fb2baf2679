// SPDX-License-Identifier: MIT
#include "codegen/row_nest.hpp"

#include "codegen/reads.hpp"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <utility>

namespace migraphx::codegen {

namespace {

constexpr const char* fold_names[] = {"sum",         "mean",         "prod",       "max",
                                      "min",         "all",          "any",        "argmax_first",
                                      "argmax_last", "argmin_first", "argmin_last"};

[[noreturn]] void bad(const row_nest& n, const std::string& what) {
    fail(error_kind::internal, "row nest: " + what + " in\n" + to_string(n));
}

int64_t product(const std::vector<int64_t>& v) {
    return std::accumulate(v.begin(), v.end(), int64_t{1}, std::multiplies<>{});
}

template <class F>
void for_each_access(row_nest& n, F f) {
    for (auto& a : n.inputs)
        f(a);
    for (auto& o : n.outputs)
        f(o.access);
}

// One of the two lists of dims and its place in the strides.
struct dim_list {
    std::vector<int64_t>& dims;
    std::size_t first;
};

void drop_dim(row_nest& n, const dim_list& list, std::size_t d) {
    list.dims.erase(list.dims.begin() + std::ptrdiff_t(d));
    const auto at = std::ptrdiff_t(list.first + d);
    for_each_access(n, [&](nest_access& a) {
        a.strides.erase(a.strides.begin() + at);
        if (not a.border.empty())
            a.border.erase(a.border.begin() + at);
    });
}

void drop_unit_dims(row_nest& n, const dim_list& list) {
    for (auto d = list.dims.size(); d-- > 0;)
        if (list.dims[d] == 1)
            drop_dim(n, list, d);
}

// The access whose memory decides the order: the first element input that moves along the list.
std::vector<int64_t> deciding_strides(const row_nest& n, const dim_list& list) {
    const auto part = [&](const std::vector<int64_t>& s) {
        const auto at = s.begin() + std::ptrdiff_t(list.first);
        return std::vector<int64_t>(at, at + std::ptrdiff_t(list.dims.size()));
    };
    const auto moves = [&](const std::vector<int64_t>& s) {
        return std::any_of(s.begin(), s.end(), [](auto x) { return x != 0; });
    };
    std::vector<int64_t> best(list.dims.size(), 0);
    std::size_t moving = 0;
    for (const auto& a : n.inputs) {
        const auto s = part(a.strides);
        const auto count =
            std::size_t(std::count_if(s.begin(), s.end(), [](auto x) { return x != 0; }));
        if (moves(s) and count > moving) {
            best = s;
            moving = count;
        }
    }
    return best;
}

void sort_dims(row_nest& n, const dim_list& list) {
    const auto key = deciding_strides(n, list);
    std::vector<std::size_t> order(list.dims.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return std::llabs(key[a]) > std::llabs(key[b]); });
    const auto permute = [&]<class T>(std::vector<T>& v, std::size_t first) {
        const auto old = v;
        for (std::size_t i = 0; i < order.size(); i++)
            v[first + i] = old[first + order[i]];
    };
    permute(list.dims, 0);
    for_each_access(n, [&](nest_access& a) {
        permute(a.strides, list.first);
        if (not a.border.empty())
            permute(a.border, list.first);
    });
}

void merge_dims(row_nest& n, const dim_list& list) {
    for (auto d = list.dims.size(); d-- > 1;) {
        const auto at = list.first + d;
        bool one_walk = true;
        for_each_access(n, [&](const nest_access& a) {
            one_walk = one_walk and walks_as_one(a, at, list.dims[d]);
        });
        if (not one_walk)
            continue;
        for_each_access(n, [&](nest_access& a) { merge_dim(a, at, list.dims[d]); });
        list.dims[d - 1] *= list.dims[d];
        list.dims.erase(list.dims.begin() + std::ptrdiff_t(d));
    }
}

} // namespace

const char* name_of(fold f) {
    return fold_names[std::size_t(f)];
}

std::optional<fold> fold_of(const std::string& reduction) {
    constexpr auto plain = std::size_t(fold::any) + 1;
    for (std::size_t i = 0; i < plain; i++)
        if (reduction == std::string("reduce_") + fold_names[i])
            return fold(i);
    return std::nullopt;
}

bool is_position(fold f) {
    return f >= fold::argmax_first;
}

shape::type_t row_nest::reg_type(int reg) const {
    const auto r = std::size_t(reg);
    return r < inputs.size() ? inputs[r].type : body[r - inputs.size()].op.type;
}

int64_t row_nest::rows() const {
    return product(kept);
}

int64_t row_nest::row_length() const {
    return product(reduced);
}

std::vector<bool> row_nest::of_elements() const {
    std::vector<bool> result;
    for (const auto& a : inputs) {
        bool moves = false;
        for (auto d = kept.size(); d < a.strides.size(); d++)
            moves = moves or moves_along(inputs, a, d);
        result.push_back(moves);
    }
    for (const auto& o : body)
        result.push_back(not o.how and
                         std::any_of(o.op.operands.begin(), o.op.operands.end(), [&](auto& x) {
                             return x.is_reg() and result[std::size_t(x.number)];
                         }));
    return result;
}

std::vector<int> row_nest::levels() const {
    std::vector<int> result(inputs.size(), 0);
    for (const auto& o : body) {
        int level = 0;
        for (const auto& x : o.op.operands)
            if (x.is_reg())
                level = std::max(level, result[std::size_t(x.number)]);
        result.push_back(level + (o.how ? 1 : 0));
    }
    return result;
}

void validate(const row_nest& n) {
    const auto rank = n.kept.size() + n.reduced.size();
    for (const auto* dims : {&n.kept, &n.reduced})
        for (auto d : *dims)
            if (d < 0)
                bad(n, "dims of at least 0 were expected");
    for (const auto& a : n.inputs)
        if (a.strides.size() != rank)
            bad(n, "a stride for each dim was expected");
    auto dims = n.kept;
    dims.insert(dims.end(), n.reduced.begin(), n.reduced.end());
    validate_reads(n.inputs, dims);
    for (std::size_t i = 0; i < n.body.size(); i++) {
        const auto& [op, how] = n.body[i];
        (void)class_of(op.type);
        const std::size_t count = how or op.row == nullptr ? 1 : std::size_t(op.row->operands());
        if (op.operands.size() != count)
            bad(n, std::to_string(count) + " operands were expected");
        for (const auto& x : op.operands)
            if (x.number >= int(n.inputs.size() + i))
                bad(n, "operands defined before their use were expected");
        if (how and not op.operands.front().is_reg())
            bad(n, "a fold of a register was expected");
        if (how and op.type != (is_position(*how) ? shape::int64_type
                                                  : n.reg_type(op.operands.front().number)))
            bad(n, "a fold of its operand's type was expected");
    }
    const auto elements = n.of_elements();
    for (const auto& o : n.outputs) {
        if (o.access.strides.size() != rank or o.reg < 0 or o.reg >= n.registers() or
            n.reg_type(o.reg) != o.access.type)
            bad(n, "outputs of a register's type with a stride for each dim were expected");
        for (std::size_t d = 0; d < rank and n.rows() * n.row_length() > 0; d++) {
            const bool inside = d >= n.kept.size();
            const auto dim = inside ? n.reduced[d - n.kept.size()] : n.kept[d];
            const bool moves = o.access.strides[d] != 0;
            if (dim > 1 and not moves and (not inside or elements[std::size_t(o.reg)]))
                bad(n, "outputs without broadcast dims were expected");
        }
    }
}

bool has_positions(const row_nest& n) {
    return std::any_of(n.body.begin(), n.body.end(),
                       [](const row_op& o) { return o.how and is_position(*o.how); });
}

row_nest simplify(row_nest n) {
    validate(n);
    const bool ordered = has_positions(n);
    for (const bool inside : {true, false}) {
        const dim_list list{inside ? n.reduced : n.kept, inside ? n.kept.size() : 0};
        drop_unit_dims(n, list);
        if (not inside or not ordered)
            sort_dims(n, list);
        merge_dims(n, list);
    }
    return n;
}

nest without_rows(const row_nest& n) {
    nest flat;
    flat.dims = n.kept;
    flat.dims.insert(flat.dims.end(), n.reduced.begin(), n.reduced.end());
    flat.inputs = n.inputs;
    flat.outputs = n.outputs;
    for (const auto& o : n.body)
        flat.body.push_back(o.op);
    return flat;
}

std::string to_string(const row_nest& n) {
    // The lines of the nest of its inputs, operators and outputs, with folds marked.
    auto flat = without_rows(n);
    for (std::size_t i = 0; i < n.body.size(); i++)
        if (n.body[i].how)
            flat.body[i].row = nullptr;
    auto text = to_string(flat);
    const auto list = [](const std::vector<int64_t>& v) {
        std::string s = "{";
        for (auto x : v)
            s += (s.size() == 1 ? "" : ", ") + std::to_string(x);
        return s + "}";
    };
    text = "rows " + list(n.kept) + " of " + list(n.reduced) + text.substr(text.find('\n'));
    for (std::size_t i = 0; i < n.body.size(); i++)
        if (n.body[i].how) {
            const auto line = "%" + std::to_string(n.inputs.size() + i) + " = ";
            const auto at = text.find("\n" + line) + 1 + line.size();
            text.replace(at, std::string("convert").size(),
                         std::string("fold ") + name_of(*n.body[i].how));
        }
    return text;
}

int row_builder::input(nest_access a) {
    result.inputs.push_back(std::move(a));
    return int(result.inputs.size()) - 1;
}

int row_builder::append(nest_op op, std::optional<fold> how) {
    result.body.push_back({std::move(op), how});
    return result.registers() - 1;
}

int row_builder::op(const char* name, std::vector<nest_operand> operands, shape::type_t type) {
    nest_op n;
    n.row = find_pointwise_row(name);
    n.type = type;
    n.operands = std::move(operands);
    return append(std::move(n));
}

int row_builder::reduce(fold how, int reg) {
    nest_op n;
    n.type = is_position(how) ? shape::int64_type : result.reg_type(reg);
    n.operands = {nest_operand::reg(reg)};
    return append(std::move(n), how);
}

int row_builder::softmax(int reg, bool log) {
    const auto type = result.reg_type(reg);
    const auto r = [](int number) { return nest_operand::reg(number); };
    const auto shifted = op("sub", {r(reg), r(reduce(fold::max, reg))}, type);
    const auto powers = op("exp", {r(shifted)}, type);
    const auto total = reduce(fold::sum, powers);
    if (log)
        return op("sub", {r(shifted), r(op("log", {r(total)}, type))}, type);
    return op("mul", {r(powers), r(op("recip", {r(total)}, type))}, type);
}

int row_builder::norm(int reg, bool center, double epsilon, int scale, int bias) {
    const auto type = result.reg_type(reg);
    const auto r = [](int number) { return nest_operand::reg(number); };
    const auto mean = [&](int of) { return r(reduce(fold::mean, of)); };
    const auto mean_square = [&](int of) { return mean(op("mul", {r(of), r(of)}, type)); };
    auto variance = nest_operand::real(0);
    if (center) {
        // The mean of what the first mean leaves takes away that one's rounding, which counts where
        // elements hardly differ.
        const auto x = op("sub", {r(reg), mean(reg)}, type);
        const auto left = mean(x), squares = mean_square(x);
        reg = op("sub", {r(x), left}, type);
        variance = r(op("sub", {squares, r(op("mul", {left, left}, type))}, type));
    } else {
        variance = mean_square(reg);
    }
    const auto factor =
        op("rsqrt", {r(op("add", {variance, nest_operand::real(epsilon)}, type))}, type);
    // Parameters of another class of values are brought to that of x.
    const auto parameter = [&](int p) {
        if (class_of(result.reg_type(p)) == class_of(type))
            return r(p);
        nest_op n;
        n.type = type == shape::double_type ? shape::double_type : shape::float_type;
        n.operands = {r(p)};
        return r(append(std::move(n)));
    };
    auto y = op("mul", {r(reg), r(factor)}, type);
    if (scale >= 0)
        y = op("mul", {r(y), parameter(scale)}, type);
    if (bias >= 0)
        y = op("add", {r(y), parameter(bias)}, type);
    return y;
}

} // namespace migraphx::codegen
