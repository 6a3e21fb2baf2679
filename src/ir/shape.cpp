// SPDX-License-Identifier: MIT
// shape: construction with checked sizes, layout predicates, index arithmetic.
#include <algorithm>

#include <migraphx/errors.hpp>
#include <migraphx/permutation.hpp>
#include <migraphx/shape.hpp>

namespace migraphx {

namespace {

using sizes = std::vector<std::size_t>;
using dimensions = std::vector<shape::dynamic_dimension>;
using expressions = std::vector<sym::expr>;

constexpr std::size_t max_bytes =
    static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max());

[[noreturn]] void shape_error(const std::string& message) {
    fail(error_kind::invalid_argument, "shape: " + message);
}

template <class Range>
std::string braced(const Range& xs) {
    std::string result = "{";
    for (auto x : xs)
        result += (result.size() > 1 ? ", " : "") + std::to_string(x);
    return result + "}";
}

std::size_t size_of_type(shape::type_t t) {
    if (t == shape::tuple_type)
        return 0;
    if (t == shape::string_type)
        return sizeof(std::string_view);
    std::size_t result = 1;
    if (shape::is_computable(t))
        shape::visit(t, [&](auto as) { result = as.size(); });
    return result;
}

[[noreturn]] void too_large(const sizes& lens) {
    shape_error("expected fewer than 2^63 bytes, got lens " + braced(lens));
}

std::size_t times(std::size_t x, std::size_t y, const sizes& lens) {
    std::size_t r = 0;
    if (__builtin_mul_overflow(x, y, &r) || r > max_bytes)
        too_large(lens);
    return r;
}

std::size_t saturated_times(std::size_t x, std::size_t y) {
    std::size_t r = 0;
    return __builtin_mul_overflow(x, y, &r) ? std::numeric_limits<std::size_t>::max() : r;
}

void check_rank(std::size_t lens, std::size_t strides) {
    if (lens != strides)
        shape_error("expected as many strides as lens, got " + std::to_string(strides) +
                    " strides for " + std::to_string(lens) + " lens");
}

void check_permutation(const std::vector<std::int64_t>& perm, std::size_t n) {
    if (!is_permutation_of_axes(perm, n))
        shape_error("expected a permutation of " + std::to_string(n) + " axes, got " +
                    braced(perm));
}

// A dimension of size 0 counts as 1, so that an empty tensor still has a layout.
sizes packed_strides(const sizes& lens, const std::vector<std::int64_t>& perm) {
    sizes result(lens.size());
    std::size_t stride = 1;
    for (std::size_t i = perm.size(); i-- > 0;) {
        const auto axis = static_cast<std::size_t>(perm[i]);
        result[axis] = stride;
        stride = times(stride, std::max<std::size_t>(1, lens[axis]), lens);
    }
    return result;
}

expressions packed_strides(const dimensions& dims, const std::vector<std::int64_t>& perm) {
    expressions result(dims.size());
    sym::expr stride = sym::lit(1);
    for (std::size_t i = perm.size(); i-- > 0;) {
        const auto axis = static_cast<std::size_t>(perm[i]);
        result[axis] = stride;
        if (i > 0)
            stride = stride * dims[axis].sym_expr;
    }
    return result;
}

bool is_dense(const sizes& lens, const sizes& strides) {
    std::vector<std::size_t> axes;
    for (std::size_t i = 0; i < lens.size(); ++i)
        if (lens[i] != 1)
            axes.push_back(i);
    std::sort(axes.begin(), axes.end(),
              [&](std::size_t a, std::size_t b) { return strides[a] < strides[b]; });
    std::size_t expected = 1;
    for (std::size_t axis : axes) {
        if (strides[axis] != expected)
            return false;
        expected *= lens[axis];
    }
    return true;
}

bool is_row_major(const sizes& lens, const sizes& strides) {
    std::size_t expected = 1;
    for (std::size_t i = lens.size(); i-- > 0;) {
        if (lens[i] == 1)
            continue;
        if (strides[i] != expected)
            return false;
        expected *= lens[i];
    }
    return true;
}

bool is_dense(const dimensions& dims, const expressions& strides) {
    std::vector<std::size_t> axes;
    for (std::size_t i = 0; i < dims.size(); ++i)
        if (dims[i] != 1)
            axes.push_back(i);
    sym::expr expected = sym::lit(1);
    while (!axes.empty()) {
        auto it = std::find_if(axes.begin(), axes.end(),
                               [&](std::size_t axis) { return strides[axis] == expected; });
        if (it == axes.end())
            return false;
        if (axes.size() > 1)
            expected = expected * dims[*it].sym_expr;
        axes.erase(it);
    }
    return true;
}

bool is_row_major(const dimensions& dims, const expressions& strides) {
    return strides == packed_strides(dims, identity_permutation(dims.size())) || [&] {
        sym::expr expected = sym::lit(1);
        for (std::size_t i = dims.size(); i-- > 0;) {
            if (dims[i] == 1)
                continue;
            if (strides[i] != expected)
                return false;
            if (i > 0)
                expected = expected * dims[i].sym_expr;
        }
        return true;
    }();
}

// Non-zero strides that grow from one axis to the next.
template <class Strides, class IsZero>
bool has_ascent(const Strides& strides, IsZero is_zero) {
    const typename Strides::value_type* last = nullptr;
    for (const auto& s : strides) {
        if (is_zero(s))
            continue;
        if (last != nullptr && *last < s)
            return true;
        last = &s;
    }
    return false;
}

bool is_zero_size(std::size_t x) {
    return x == 0;
}
bool is_zero_expr(const sym::expr& x) {
    return x.is_literal() && x == sym::lit(0);
}

std::size_t bounded(std::int64_t x) {
    return x < 0                                           ? 0
           : x == std::numeric_limits<std::int64_t>::max() ? std::numeric_limits<std::size_t>::max()
                                                           : static_cast<std::size_t>(x);
}

} // namespace

struct shape::builder {
    static std::shared_ptr<const data> make(data x) {
        return std::make_shared<const data>(std::move(x));
    }

    static std::shared_ptr<const data> static_layout(type_t t, sizes lens, sizes strides) {
        check_rank(lens.size(), strides.size());
        data x;
        x.type = t;
        const std::size_t element_bytes = size_of_type(t);
        std::size_t count = lens.empty() ? 0 : 1;
        bool none = lens.empty();
        for (std::size_t n : lens) {
            count = times(count, std::max<std::size_t>(1, n), lens);
            none = none || n == 0;
        }
        std::size_t last = 0;
        for (std::size_t i = 0; i < lens.size(); ++i) {
            const std::size_t span = times(lens[i] == 0 ? 0 : lens[i] - 1, strides[i], lens);
            if (__builtin_add_overflow(last, span, &last) || last >= max_bytes)
                too_large(lens);
        }
        times(std::max(count, last + 1), std::max<std::size_t>(1, element_bytes), lens);
        x.elements = none ? 0 : count;
        x.element_space = none ? 0 : last + 1;
        x.bytes = x.element_space * element_bytes;
        x.broadcasted = std::find(strides.begin(), strides.end(), 0) != strides.end();
        x.scalar = !strides.empty() && std::all_of(strides.begin(), strides.end(), is_zero_size);
        x.packed = none || is_dense(lens, strides);
        x.standard = none || (x.packed && is_row_major(lens, strides));
        x.transposed = has_ascent(strides, is_zero_size);
        x.lens = std::move(lens);
        x.strides = std::move(strides);
        return make(std::move(x));
    }

    static data dynamic_data(type_t t) {
        if (t == tuple_type)
            shape_error("expected an element type for dynamic dimensions, got tuple_type");
        data x;
        x.type = t;
        x.dynamic = true;
        x.packed = false;
        x.standard = false;
        return x;
    }

    static std::shared_ptr<const data> ranges(type_t t, dimensions dims) {
        data x = dynamic_data(t);
        x.element_space = dims.empty() ? 0 : 1;
        for (auto& d : dims) {
            const auto bounds = d.get_interval();
            if (d.is_symbolic())
                d = dynamic_dimension{bounds.min, bounds.max, d.get_optimals()};
            x.element_space = saturated_times(x.element_space, bounds.max);
        }
        x.bytes = saturated_times(x.element_space, size_of_type(t));
        x.dyn_dims = std::move(dims);
        return make(std::move(x));
    }

    static std::shared_ptr<const data> symbolic_layout(type_t t, dimensions dims,
                                                       expressions strides) {
        check_rank(dims.size(), strides.size());
        for (const auto& s : strides)
            if (s.empty())
                shape_error("expected symbolic strides, got an empty expression");
        data x = dynamic_data(t);
        x.symbolic = true;
        sym::interval space{1, 1};
        for (std::size_t i = 0; i < dims.size(); ++i) {
            const sym::interval stride = strides[i].eval_interval();
            const std::size_t len = dims[i].get_interval().max;
            const std::size_t span = saturated_times(len == 0 ? 0 : len - 1, bounded(stride.max));
            std::size_t sum = 0;
            if (__builtin_add_overflow(bounded(space.max), span, &sum) || sum > max_bytes)
                sum = max_bytes;
            space.max = static_cast<std::int64_t>(sum);
        }
        x.element_space = dims.empty() ? 0 : bounded(space.max);
        x.bytes = saturated_times(x.element_space, size_of_type(t));
        x.broadcasted = std::any_of(strides.begin(), strides.end(), is_zero_expr);
        x.scalar = !strides.empty() && std::all_of(strides.begin(), strides.end(), is_zero_expr);
        x.packed = is_dense(dims, strides);
        x.standard = x.packed && is_row_major(dims, strides);
        x.transposed = !x.standard && has_ascent(strides, is_zero_expr);
        x.dyn_dims = std::move(dims);
        x.dyn_strides = std::move(strides);
        return make(std::move(x));
    }

    // Makes every dimension symbolic; false when the dimensions are ranges.
    static bool symbolise(dimensions& dims) {
        if (std::none_of(dims.begin(), dims.end(), [](const auto& d) { return d.is_symbolic(); }))
            return false;
        if (std::any_of(dims.begin(), dims.end(),
                        [](const auto& d) { return !d.is_symbolic() && !d.is_fixed(); }))
            return false;
        for (auto& d : dims)
            if (!d.is_symbolic())
                d = sym::lit(static_cast<std::int64_t>(d.get_interval().min));
        return true;
    }

    static std::shared_ptr<const data> dynamic_layout(type_t t, dimensions dims,
                                                      const std::vector<std::int64_t>& perm) {
        if (!symbolise(dims))
            return ranges(t, std::move(dims));
        expressions strides = packed_strides(dims, perm);
        return symbolic_layout(t, std::move(dims), std::move(strides));
    }

    static std::shared_ptr<const data> tuple(std::vector<shape> subs) {
        data x;
        x.type = tuple_type;
        x.packed = false;
        x.standard = false;
        for (const auto& s : subs)
            if (__builtin_add_overflow(x.bytes, s.bytes(), &x.bytes))
                x.bytes = std::numeric_limits<std::size_t>::max();
        x.subs = std::move(subs);
        return make(std::move(x));
    }

    // Its size is that of the tensors in it, which are not of this shape's memory.
    static shape container_of(container kind, const shape& element) {
        data x;
        x.type = tuple_type;
        x.kind = kind;
        x.dynamic = true;
        x.packed = false;
        x.standard = false;
        x.subs = {element};
        return wrap(make(std::move(x)));
    }

    static shape without_rank(type_t t, rank_kind rank) {
        data x = dynamic_data(t);
        x.rank = rank;
        x.element_space = std::numeric_limits<std::size_t>::max();
        x.bytes = std::numeric_limits<std::size_t>::max();
        return wrap(make(std::move(x)));
    }

    static shape wrap(std::shared_ptr<const data> x) {
        shape result;
        result.d = std::move(x);
        return result;
    }
};

const shape::data& shape::empty_data() {
    static const data none;
    return none;
}

void shape::throw_dynamic(const char* what) const {
    shape_error(std::string("expected a static shape for ") + what + "(), got " + to_string());
}

void shape::throw_not_visitable(type_t t) {
    shape_error("expected a type whose values can be visited, got " + name(t));
}

// ---- construction -----------------------------------------------------------------------------

shape::shape(type_t t) {
    d = t == tuple_type ? builder::tuple({}) : builder::static_layout(t, {1}, {0});
}

shape::shape(type_t t, std::vector<std::size_t> l) {
    sizes strides = packed_strides(l, identity_permutation(l.size()));
    d = builder::static_layout(t, std::move(l), std::move(strides));
}

shape::shape(type_t t, std::initializer_list<std::size_t> d)
    : shape(t, std::vector<std::size_t>(d)) {}

shape::shape(type_t t, std::vector<std::size_t> l, std::vector<std::size_t> s)
    : d(builder::static_layout(t, std::move(l), std::move(s))) {}

shape::shape(type_t t, std::initializer_list<std::size_t> l, std::initializer_list<std::size_t> s)
    : shape(t, std::vector<std::size_t>(l), std::vector<std::size_t>(s)) {}

shape::shape(type_t t, std::vector<dynamic_dimension> dims) {
    const auto perm = identity_permutation(dims.size());
    d = builder::dynamic_layout(t, std::move(dims), perm);
}

shape::shape(type_t t, std::vector<std::size_t> mins, std::vector<std::size_t> maxes,
             std::vector<std::set<std::size_t>> optimals_list) {
    if (optimals_list.empty())
        optimals_list.resize(mins.size());
    if (mins.size() != maxes.size() || mins.size() != optimals_list.size())
        shape_error("expected as many mins as maxes and optimals, got " +
                    std::to_string(mins.size()) + ", " + std::to_string(maxes.size()) + " and " +
                    std::to_string(optimals_list.size()));
    dimensions dims;
    for (std::size_t i = 0; i < mins.size(); ++i)
        dims.emplace_back(mins[i], maxes[i], std::move(optimals_list[i]));
    d = builder::ranges(t, std::move(dims));
}

shape::shape(type_t t, std::vector<dynamic_dimension> dims, std::vector<sym::expr> dstrides) {
    const bool has_layout =
        builder::symbolise(dims) ||
        std::all_of(dims.begin(), dims.end(), [](const auto& x) { return x.is_fixed(); });
    if (!has_layout)
        shape_error("expected symbolic or fixed dimensions beside strides, got a range");
    for (auto& x : dims)
        if (!x.is_symbolic())
            x = sym::lit(static_cast<std::int64_t>(x.get_interval().min));
    d = builder::symbolic_layout(t, std::move(dims), std::move(dstrides));
}

shape::shape(const std::vector<shape>& subs) : d(builder::tuple(subs)) {}

shape shape::sequence(const shape& element) {
    return builder::container_of(container::sequence, element);
}

shape shape::optional(const shape& element) {
    return builder::container_of(container::optional, element);
}

shape shape::unranked(type_t t) {
    return builder::without_rank(t, rank_kind::unknown);
}

shape shape::absent(type_t t) {
    return builder::without_rank(t, rank_kind::absent);
}

shape shape::from_permutation(type_t t, const std::vector<std::size_t>& l,
                              const std::vector<std::int64_t>& perm) {
    check_permutation(perm, l.size());
    return {t, l, packed_strides(l, perm)};
}

shape shape::from_permutation(type_t t, const std::vector<dynamic_dimension>& dds,
                              const std::vector<std::int64_t>& perm) {
    check_permutation(perm, dds.size());
    return builder::wrap(builder::dynamic_layout(t, dds, perm));
}

// ---- observers --------------------------------------------------------------------------------

const shape& shape::element() const {
    if (get().kind == container::none)
        shape_error("expected a sequence or an optional for element(), got " + to_string());
    return sub_shapes().front();
}

bool shape::is_boxed() const {
    return type() == string_type || !has_rank() || get().kind != container::none ||
           std::any_of(sub_shapes().begin(), sub_shapes().end(),
                       [](const shape& s) { return s.is_boxed(); });
}

std::size_t shape::ndim() const {
    if (!has_rank())
        shape_error("expected a tensor whose rank is known, got " + to_string());
    return dynamic() ? get().dyn_dims.size() : get().lens.size();
}

std::size_t shape::type_size() const {
    if (type() == tuple_type)
        shape_error("expected an element type for type_size(), got tuple_type");
    return size_of_type(type());
}

sym::expr shape::sym_elements() const {
    if (!dynamic())
        return sym::lit(static_cast<std::int64_t>(elements()));
    sym::expr result = sym::lit(1);
    for (const auto& x : dyn_dims()) {
        if (!x.is_symbolic() && !x.is_fixed())
            shape_error("expected symbolic dimensions for sym_elements(), got " + to_string());
        result =
            result * (x.is_symbolic() ? x.sym_expr
                                      : sym::lit(static_cast<std::int64_t>(x.get_interval().min)));
    }
    return result;
}

std::vector<std::size_t> shape::min_lens() const {
    if (!dynamic())
        return lens();
    (void)ndim(); // throws where there are no dimensions
    sizes result;
    for (const auto& x : dyn_dims())
        result.push_back(x.get_interval().min);
    return result;
}

std::vector<std::size_t> shape::max_lens() const {
    if (!dynamic())
        return lens();
    (void)ndim(); // throws where there are no dimensions
    sizes result;
    for (const auto& x : dyn_dims())
        result.push_back(x.get_interval().max);
    return result;
}

std::vector<std::set<std::size_t>> shape::opt_lens() const {
    std::vector<std::set<std::size_t>> result(ndim());
    for (std::size_t i = 0; i < dyn_dims().size(); ++i)
        result[i] = dyn_dims()[i].get_optimals();
    return result;
}

bool shape::any_of_dynamic() const {
    return dynamic() || std::any_of(sub_shapes().begin(), sub_shapes().end(),
                                    [](const shape& s) { return s.any_of_dynamic(); });
}

bool shape::is_fixed() const {
    const auto& dims = dyn_dims();
    return has_rank() && get().kind == container::none &&
           std::all_of(dims.begin(), dims.end(), [](const auto& x) { return x.is_fixed(); }) &&
           std::all_of(sub_shapes().begin(), sub_shapes().end(),
                       [](const shape& s) { return s.is_fixed(); });
}

} // namespace migraphx
