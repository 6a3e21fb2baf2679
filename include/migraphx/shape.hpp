// SPDX-License-Identifier: MIT
// Element type, dimensions and memory layout of a tensor, or of a tuple of tensors. A shape is
// static (lens and strides in elements), range-dynamic (a range per dimension, no layout),
// symbolic (an expression per dimension and per stride), a tuple of shapes, or a sequence or an
// optional of one shape. Shapes are immutable values that share their data, so copies are cheap.
#ifndef MIGRAPHX_SHAPE_HPP
#define MIGRAPHX_SHAPE_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <migraphx/bf16.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/float8.hpp>
#include <migraphx/half.hpp>
#include <migraphx/sym.hpp>

namespace migraphx {

/// m(enumerator, C++ type) for every element type that can be computed with.
// clang-format off
#define MIGRAPHX_SHAPE_VISIT_TYPES(m)                    \
    m(bool_type, bool)                                   \
    m(half_type, migraphx::half)                         \
    m(float_type, float)                                 \
    m(double_type, double)                               \
    m(uint8_type, std::uint8_t)                          \
    m(int8_type, std::int8_t)                            \
    m(uint16_type, std::uint16_t)                        \
    m(int16_type, std::int16_t)                          \
    m(int32_type, std::int32_t)                          \
    m(int64_type, std::int64_t)                          \
    m(uint32_type, std::uint32_t)                        \
    m(uint64_type, std::uint64_t)                        \
    m(fp8e4m3fnuz_type, migraphx::fp8::fp8e4m3fnuz)      \
    m(fp8e4m3fn_type, migraphx::fp8::fp8e4m3fn)          \
    m(fp8e5m2_type, migraphx::fp8::fp8e5m2)              \
    m(bf16_type, migraphx::bf16)                         \
    m(fp8e5m2fnuz_type, migraphx::fp8::fp8e5m2fnuz)
// clang-format on

struct shape {
    enum type_t {
#define MIGRAPHX_SHAPE_ENUMERATOR(name, type) name,
        MIGRAPHX_SHAPE_VISIT_TYPES(MIGRAPHX_SHAPE_ENUMERATOR)
#undef MIGRAPHX_SHAPE_ENUMERATOR
            tuple_type,
        fp4x2_type,
        /// Elements are std::string_view; the memory behind them belongs to the argument.
        string_type,
        // One element a byte, its code in the low bits; see is_small.
        int4_type,
        uint4_type,
        int2_type,
        uint2_type,
        fp4_type,
        fp8e8m0_type
    };

    /// get_type<T>::value is the enumerator of the C++ type T.
    template <class T, class = void>
    struct get_type;
#define MIGRAPHX_SHAPE_GET_TYPE(name, type)                                                        \
    template <class U>                                                                             \
    struct get_type<type, U> : std::integral_constant<type_t, name> {};
    MIGRAPHX_SHAPE_VISIT_TYPES(MIGRAPHX_SHAPE_GET_TYPE)
#undef MIGRAPHX_SHAPE_GET_TYPE
    template <class U>
    struct get_type<std::string_view, U> : std::integral_constant<type_t, string_type> {};
    template <class T>
    struct get_type<const T> : get_type<T> {};

    /// One dimension that is not known yet: a range, with sizes worth optimising for, or a
    /// symbolic expression.
    struct dynamic_dimension {
        struct interval {
            std::size_t min = 0;
            std::size_t max = 0;
            friend bool operator==(const interval& x, const interval& y) {
                return x.min == y.min && x.max == y.max;
            }
            friend bool operator!=(const interval& x, const interval& y) { return !(x == y); }
        };

        /// Set unless symbolic.
        std::optional<interval> range = interval{};
        std::optional<std::set<std::size_t>> optimals = std::set<std::size_t>{};
        /// Empty unless symbolic.
        sym::expr sym_expr;

        dynamic_dimension() = default;
        /// Throws when min_v > max_v. Optimals are dropped when min_v == max_v.
        dynamic_dimension(std::size_t min_v, std::size_t max_v);
        dynamic_dimension(std::size_t min_v, std::size_t max_v, std::set<std::size_t> opt);
        /// One optimum; 0 stands for none.
        dynamic_dimension(std::size_t min_v, std::size_t max_v, std::size_t opt);
        /// Throws for an empty expression.
        dynamic_dimension(sym::expr s);

        interval get_interval() const;
        std::set<std::size_t> get_optimals() const;
        bool is_fixed() const;
        bool has_optimal() const;
        bool is_symbolic() const { return !sym_expr.empty(); }
        /// Sizes that both allow; nullopt when there are none. Two symbolic dimensions must have
        /// the same expression.
        std::optional<dynamic_dimension> intersection(const dynamic_dimension& other) const;

        dynamic_dimension& operator+=(const std::size_t& x) { return *this = *this + x; }
        dynamic_dimension& operator-=(const std::size_t& x) { return *this = *this - x; }
        dynamic_dimension& operator*=(const std::size_t& x) { return *this = *this * x; }
        dynamic_dimension& operator/=(const std::size_t& x) { return *this = *this / x; }
        dynamic_dimension& operator+=(const dynamic_dimension& x) { return *this = *this + x; }
        dynamic_dimension& operator-=(const dynamic_dimension& x) { return *this = *this - x; }
        dynamic_dimension& operator*=(const dynamic_dimension& x) { return *this = *this * x; }
        dynamic_dimension& operator/=(const dynamic_dimension& x) { return *this = *this / x; }

        /// Equal ranges and optimals, equal expressions, or both fixed to one size.
        friend bool operator==(const dynamic_dimension& x, const dynamic_dimension& y) {
            return equal(x, y);
        }
        friend bool operator!=(const dynamic_dimension& x, const dynamic_dimension& y) {
            return !equal(x, y);
        }
        friend bool operator==(const dynamic_dimension& x, const std::size_t& y) {
            return x.is_fixed() && x.get_interval().min == y;
        }
        friend bool operator==(const std::size_t& x, const dynamic_dimension& y) { return y == x; }
        friend bool operator!=(const dynamic_dimension& x, const std::size_t& y) {
            return !(x == y);
        }
        friend bool operator!=(const std::size_t& x, const dynamic_dimension& y) {
            return !(y == x);
        }
        friend std::ostream& operator<<(std::ostream& os, const dynamic_dimension& x) {
            return print(os, x);
        }

        /// Ranges saturate: differences stop at 0, a quotient by 0 is the largest size. Symbolic
        /// with symbolic or fixed stays symbolic, with a range it becomes a range.
        friend dynamic_dimension operator+(const dynamic_dimension& x, const dynamic_dimension& y) {
            return apply('+', x, y);
        }
        friend dynamic_dimension operator-(const dynamic_dimension& x, const dynamic_dimension& y) {
            return apply('-', x, y);
        }
        friend dynamic_dimension operator*(const dynamic_dimension& x, const dynamic_dimension& y) {
            return apply('*', x, y);
        }
        friend dynamic_dimension operator/(const dynamic_dimension& x, const dynamic_dimension& y) {
            return apply('/', x, y);
        }
        friend dynamic_dimension operator+(const dynamic_dimension& x, const std::size_t& y) {
            return apply('+', x, {y, y});
        }
        friend dynamic_dimension operator-(const dynamic_dimension& x, const std::size_t& y) {
            return apply('-', x, {y, y});
        }
        friend dynamic_dimension operator*(const dynamic_dimension& x, const std::size_t& y) {
            return apply('*', x, {y, y});
        }
        friend dynamic_dimension operator/(const dynamic_dimension& x, const std::size_t& y) {
            return apply('/', x, {y, y});
        }
        friend dynamic_dimension operator+(const std::size_t& x, const dynamic_dimension& y) {
            return apply('+', {x, x}, y);
        }
        friend dynamic_dimension operator-(const std::size_t& x, const dynamic_dimension& y) {
            return apply('-', {x, x}, y);
        }
        friend dynamic_dimension operator*(const std::size_t& x, const dynamic_dimension& y) {
            return apply('*', {x, x}, y);
        }
        friend dynamic_dimension operator/(const std::size_t& x, const dynamic_dimension& y) {
            return apply('/', {x, x}, y);
        }

    private:
        static bool equal(const dynamic_dimension& x, const dynamic_dimension& y);
        static std::ostream& print(std::ostream& os, const dynamic_dimension& x);
        static dynamic_dimension apply(char op, const dynamic_dimension& x,
                                       const dynamic_dimension& y);
    };

    /// What a visitor gets: the C++ type (bool elements are handled as int8_t) and its limits.
    template <class T>
    struct as {
        using type = std::conditional_t<std::is_same<T, bool>::value, std::int8_t, T>;

        type max() const { return std::numeric_limits<type>::max(); }
        type min() const { return std::numeric_limits<type>::lowest(); }
        type nan() const { return std::numeric_limits<type>::quiet_NaN(); }
        type epsilon() const { return std::numeric_limits<type>::epsilon(); }

        type operator()() const { return {}; }
        template <class U>
        type operator()(U u) const {
            return static_cast<type>(u);
        }
        template <class U>
        type* operator()(U* u) const {
            return static_cast<type*>(u);
        }
        template <class U>
        const type* operator()(const U* u) const {
            return static_cast<const type*>(u);
        }

        /// Element n of a buffer of bytes.
        template <class U>
        type* from(U* buffer, std::size_t n = 0) const {
            return reinterpret_cast<type*>(buffer) + n;
        }
        template <class U>
        const type* from(const U* buffer, std::size_t n = 0) const {
            return reinterpret_cast<const type*>(buffer) + n;
        }

        std::size_t size(std::size_t n = 1) const { return sizeof(type) * n; }
        bool is_integral() const { return std::is_integral<type>::value; }
        bool is_signed() const { return std::numeric_limits<type>::is_signed; }
        bool is_unsigned() const { return std::is_unsigned<type>::value; }
        type_t type_enum() const { return get_type<T>::value; }
    };

    /// float_type, {}, {}: no elements.
    shape() = default;
    /// Scalar: lens {1}, strides {0}.
    shape(type_t t);
    /// Row-major.
    shape(type_t t, std::vector<std::size_t> l);
    shape(type_t t, std::initializer_list<std::size_t> d);
    shape(type_t t, std::vector<std::size_t> l, std::vector<std::size_t> s);
    shape(type_t t, std::initializer_list<std::size_t> l, std::initializer_list<std::size_t> s);
    template <class Range, class = std::enable_if_t<std::is_integral<std::decay_t<
                               decltype(*std::begin(std::declval<const Range&>()))>>::value>>
    shape(type_t t, const Range& l) : shape(t, to_sizes(l)) {}
    template <class Range1, class Range2,
              class = std::enable_if_t<std::is_integral<std::decay_t<decltype(*std::begin(
                                           std::declval<const Range1&>()))>>::value &&
                                       std::is_integral<std::decay_t<decltype(*std::begin(
                                           std::declval<const Range2&>()))>>::value>>
    shape(type_t t, const Range1& l, const Range2& s) : shape(t, to_sizes(l), to_sizes(s)) {}

    /// Symbolic when a dimension is symbolic and the others are symbolic or fixed (row-major then),
    /// else range-dynamic.
    shape(type_t t, std::vector<dynamic_dimension> dims);
    // Braces around braces; a template, so that {} still means no lens.
    template <class D = dynamic_dimension>
    shape(type_t t, std::initializer_list<std::common_type_t<D>> dims)
        : shape(t, std::vector<dynamic_dimension>(dims)) {}
    shape(type_t t, std::vector<std::size_t> mins, std::vector<std::size_t> maxes,
          std::vector<std::set<std::size_t>> optimals_list);
    /// Symbolic with a layout.
    shape(type_t t, std::vector<dynamic_dimension> dims, std::vector<sym::expr> dstrides);
    /// Tuple.
    explicit shape(const std::vector<shape>& subs);
    /// Any number of tensors of this shape; a value of it has the shape of a tuple. tuple_type, and
    /// dynamic, as is an optional.
    static shape sequence(const shape& element);
    /// One value of this shape (a tuple of one) or none (an empty tuple).
    static shape optional(const shape& element);
    /// A tensor of which only the element type is known.
    static shape unranked(type_t t);
    /// The element of a sequence or an optional that never has one: less than any shape of the
    /// type.
    static shape absent(type_t t);

    /// Packed, with the axes perm[0] (slowest) to perm.back() (fastest) in memory.
    static shape from_permutation(type_t t, const std::vector<std::size_t>& l,
                                  const std::vector<std::int64_t>& perm);
    static shape from_permutation(type_t t, const std::vector<dynamic_dimension>& dds,
                                  const std::vector<std::int64_t>& perm);

    type_t type() const {
        return get().type;
    }
    /// Throws on a dynamic shape, as do strides(), elements() and the index functions.
    const std::vector<std::size_t>& lens() const;
    const std::vector<std::size_t>& strides() const;
    /// Number of dimensions of any kind of shape.
    std::size_t ndim() const;
    /// Product of the lens; 0 when there are none.
    std::size_t elements() const;
    /// Elements from the first to the last in memory; the upper bound for dynamic shapes.
    std::size_t element_space() const {
        return get().element_space;
    }
    /// Product of the dimensions as an expression. Throws for range dimensions.
    sym::expr sym_elements() const;
    /// Size in memory; the sum for tuples, the upper bound (saturated) for dynamic shapes.
    std::size_t bytes() const {
        return get().bytes;
    }
    /// Bytes of one element. Throws for a tuple.
    std::size_t type_size() const;
    std::string type_string() const {
        return name(type());
    }

    /// Dimensions of a dynamic shape; empty for others.
    const std::vector<dynamic_dimension>& dyn_dims() const {
        return get().dyn_dims;
    }
    /// Strides of a symbolic shape; empty for others.
    const std::vector<sym::expr>& dyn_strides() const {
        return get().dyn_strides;
    }
    /// The lens of a static shape for the first two.
    std::vector<std::size_t> min_lens() const;
    std::vector<std::size_t> max_lens() const;
    std::vector<std::set<std::size_t>> opt_lens() const;

    const std::vector<shape>& sub_shapes() const {
        return get().subs;
    }
    std::size_t tuple_size() const {
        return sub_shapes().size();
    }
    bool is_sequence() const {
        return get().kind == container::sequence;
    }
    bool is_optional() const {
        return get().kind == container::optional;
    }
    /// The only sub-shape of a sequence or an optional. Throws for others.
    const shape& element() const;
    /// False for unranked and absent tensors, whose dimensions cannot be asked for.
    bool has_rank() const {
        return get().rank == rank_kind::known;
    }
    bool is_absent() const {
        return get().rank == rank_kind::absent;
    }
    /// Not the plain memory of numbers: strings, a sequence, an optional or an unranked tensor, or
    /// a tuple with one of them. Such values are passed as arguments, never through arenas.
    bool is_boxed() const;

    /// Range-dynamic or symbolic, unranked, a sequence or an optional.
    bool dynamic() const {
        return get().dynamic;
    }
    /// This or one of the sub-shapes at any depth is dynamic.
    bool any_of_dynamic() const;
    bool symbolic() const {
        return get().symbolic;
    }
    /// Every dimension can take one size only.
    bool is_fixed() const;
    /// Layout predicates; all false for range-dynamic shapes and tuples. For symbolic shapes they
    /// hold for all values of the variables.
    /// packed: each element of the addressed span belongs to exactly one index.
    bool packed() const {
        return get().packed;
    }
    /// transposed: the (non-zero) strides do not descend.
    bool transposed() const {
        return get().transposed;
    }
    /// broadcasted: a stride is 0.
    bool broadcasted() const {
        return get().broadcasted;
    }
    /// standard: packed with descending strides, axes of one element ignored.
    bool standard() const {
        return get().standard;
    }
    /// scalar: every stride is 0.
    bool scalar() const {
        return get().scalar;
    }
    bool computable() const {
        return is_computable(type());
    }

    /// Memory offset, in elements, of a multi-index or of the i-th element in logical order.
    std::size_t index(std::initializer_list<std::size_t> l) const;
    std::size_t index(const std::vector<std::size_t>& l) const;
    template <class Iterator, class = typename std::iterator_traits<Iterator>::iterator_category>
    std::size_t index(Iterator first, Iterator last) const {
        const std::vector<std::size_t>& s = strides();
        std::size_t result = 0;
        for (std::size_t i = 0; first != last && i < s.size(); ++first, ++i)
            result += static_cast<std::size_t>(*first) * s[i];
        return result;
    }
    std::size_t index(std::size_t i) const;
    /// Multi-index of the idx-th element in logical order, and back.
    std::vector<std::size_t> multi(std::size_t idx) const;
    template <std::size_t N>
    std::array<std::size_t, N> multi(std::size_t idx) const {
        std::array<std::size_t, N> result{};
        multi_copy(idx, result.data(), result.data() + N);
        return result;
    }
    void multi_copy(std::size_t idx, std::size_t* start, const std::size_t* end) const;
    std::size_t single(const std::vector<std::size_t>& idx) const;
    bool multi_within_bounds(std::vector<std::size_t> multi) const;

    /// Row-major strides when standard (axes of one element included), else this shape.
    shape normalize_standard() const;
    /// Row-major with the same dimensions.
    shape as_standard() const;
    shape with_type(type_t t) const;
    /// Packed, with other dimensions of the same number and the memory order of this shape.
    shape with_lens(const std::vector<std::size_t>& l) const;
    shape with_lens(type_t t, const std::vector<std::size_t>& l) const;
    shape with_lens(const std::vector<dynamic_dimension>& dds) const;
    /// A static shape as one of fixed ranges; tuples member by member; others unchanged.
    shape to_dynamic() const;
    static std::vector<shape> to_dynamic(const std::vector<shape>& shapes);
    /// A static shape (or one of fixed ranges) with literals for its dimensions and strides. Throws
    /// for ranges that are not fixed.
    shape to_symbolic() const;
    /// x for every dimension that is not fixed.
    shape to_static(std::size_t x) const;
    /// With these values of the variables. Throws when one is missing or a range is not fixed.
    shape to_static(const std::unordered_map<sym::expr, std::size_t>& symbol_map = {}) const;

    /// All element types that can be computed with.
    static const std::vector<type_t>& types();
    /// Every element type, in the order of the numbers.
    static const std::vector<type_t>& all_types();
    /// The number of an element type as one. Throws for others.
    static type_t type_of_number(std::int64_t n);
    /// "float_type".
    static std::string name(type_t t);
    /// "float", "int8_t", "migraphx::fp8::fp8e4m3fn" …
    static std::string cpp_type(type_t t);
    /// Reads both spellings, and the C++ name without its namespaces. Throws for others.
    static type_t parse_type(const std::string& s);
    static bool is_integral(type_t t);
    static bool is_unsigned(type_t t);
    /// Values of the type can be visited: all up to fp8e5m2fnuz_type.
    static bool is_computable(type_t t);
    /// Numbers of two, four or eight bits, one a byte, that can be stored, moved, converted and
    /// quantised: int4, uint4, int2, uint2, fp4 (e2m1) and fp8e8m0 (a power of two). Not
    /// computable.
    static bool is_small(type_t t) {
        return t >= int4_type && t <= fp8e8m0_type;
    }
    /// An actual argument fits where `expected` is declared: equal type and dimensions, strides
    /// equal but for axes of one element; within the bounds when expected is dynamic.
    static bool is_compatible(const shape& actual, const shape& expected);
    /// The same for the dimensions alone.
    static bool is_compatible_lens(const shape& actual, const shape& expected);
    static bool same_lens(const shape& x, const shape& y);
    /// "2x3, 4x5".
    static std::string to_sizes_string(const std::vector<shape>& shapes);

    /// Calls v(as<T>{}) with the type's C++ type, tv() for a tuple. Throws for other types that are
    /// not computable.
    template <class Visitor, class TupleVisitor>
    static void visit(type_t t, Visitor v, TupleVisitor tv) {
        switch (t) {
        case tuple_type:
            tv();
            return;
#define MIGRAPHX_SHAPE_CASE(name, type)                                                            \
    case name:                                                                                     \
        v(as<type>());                                                                             \
        return;
            MIGRAPHX_SHAPE_VISIT_TYPES(MIGRAPHX_SHAPE_CASE)
#undef MIGRAPHX_SHAPE_CASE
        default:
            throw_not_visitable(t);
        }
    }
    template <class Visitor>
    static void visit(type_t t, Visitor v) {
        visit(t, v, [] { throw_not_visitable(tuple_type); });
    }
    template <class... Visitors>
    void visit_type(Visitors... vs) const {
        visit(type(), vs...);
    }
    /// Calls v(as<T>{}) once for each type of types().
    template <class Visitor>
    static void visit_types(Visitor v) {
#define MIGRAPHX_SHAPE_CALL(name, type) v(as<type>());
        MIGRAPHX_SHAPE_VISIT_TYPES(MIGRAPHX_SHAPE_CALL)
#undef MIGRAPHX_SHAPE_CALL
    }

    /// The text form: "float_type, {2, 3}, {3, 1}".
    std::string to_string() const;
    std::size_t hash() const;

    friend bool operator==(const shape& x, const shape& y) {
        return x.d == y.d || equal(x, y);
    }
    friend bool operator!=(const shape& x, const shape& y) {
        return !(x == y);
    }
    friend std::ostream& operator<<(std::ostream& os, const shape& x) {
        return print(os, x);
    }

private:
    enum class container : std::uint8_t { none, sequence, optional };
    enum class rank_kind : std::uint8_t { known, unknown, absent };
    struct data {
        type_t type = float_type;
        container kind = container::none;
        rank_kind rank = rank_kind::known;
        bool dynamic = false;
        bool symbolic = false;
        bool packed = true;
        bool transposed = false;
        bool broadcasted = false;
        bool standard = true;
        bool scalar = false;
        std::size_t elements = 0;
        std::size_t element_space = 0;
        std::size_t bytes = 0;
        std::vector<std::size_t> lens;
        std::vector<std::size_t> strides;
        std::vector<dynamic_dimension> dyn_dims;
        std::vector<sym::expr> dyn_strides;
        std::vector<shape> subs;
    };
    struct builder;

    const data& get() const {
        return d ? *d : empty_data();
    }
    const data& get_static(const char* what) const {
        const data& x = get();
        if (x.dynamic)
            throw_dynamic(what);
        return x;
    }
    static const data& empty_data();
    static bool equal(const shape& x, const shape& y);
    static std::ostream& print(std::ostream& os, const shape& x);
    [[noreturn]] void throw_dynamic(const char* what) const;
    [[noreturn]] static void throw_not_visitable(type_t t);

    template <class Range>
    static std::vector<std::size_t> to_sizes(const Range& r) {
        return std::vector<std::size_t>(std::begin(r), std::end(r));
    }

    std::shared_ptr<const data> d;
};

inline const std::vector<std::size_t>& shape::lens() const {
    return get_static("lens").lens;
}
inline const std::vector<std::size_t>& shape::strides() const {
    return get_static("strides").strides;
}
inline std::size_t shape::elements() const {
    return get_static("elements").elements;
}

/// {type, sub_shapes, lens, strides, dynamic_dimensions, dyn_strides} and {range, optimals, sym}.
/// Reading also takes {min, max, optimals} and a plain integer for a dimension.
value shape_to_value(const shape& s);
// A template: a shape::type_t must not become a shape here.
template <class S, std::enable_if_t<std::is_same<S, shape>::value, int> = 0>
void migraphx_to_value(value& v, const S& s) {
    v = shape_to_value(s);
}
void migraphx_from_value(const value& v, shape& s);
void migraphx_to_value(value& v, const shape::dynamic_dimension& d);
void migraphx_from_value(const value& v, shape::dynamic_dimension& d);

} // namespace migraphx

namespace std {
template <>
struct hash<migraphx::shape> {
    std::size_t operator()(const migraphx::shape& s) const { return s.hash(); }
};
} // namespace std

#endif
