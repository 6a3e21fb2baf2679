// SPDX-License-Identifier: MIT
// Small helpers for calling functions with packs of arguments.
#ifndef MIGRAPHX_GUARD_FUNCTIONAL_HPP
#define MIGRAPHX_GUARD_FUNCTIONAL_HPP

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace migraphx {

template <class... Ts>
struct packed {
    std::tuple<Ts...> values;

    template <class F>
    decltype(auto) operator()(F&& f) const {
        return std::apply(std::forward<F>(f), values);
    }
};

// pack(xs...)(f) is f(xs...).
template <class... Ts>
auto pack(Ts... xs) {
    return packed<Ts...>{std::tuple<Ts...>(std::move(xs)...)};
}

// unpack(f)(tuple) is f(items...).
template <class F>
auto unpack(F f) {
    return [f](auto&& t) { return std::apply(f, t); };
}

// f(x) for each argument in order.
template <class F, class... Ts>
void each_args(F f, Ts&&... xs) {
    (static_cast<void>(f(std::forward<Ts>(xs))), ...);
}

// f(integral_constant<0>), … f(integral_constant<n - 1>).
template <std::size_t... Ns, class F>
void repeat_impl(F f, std::index_sequence<Ns...>) {
    (static_cast<void>(f(std::integral_constant<std::size_t, Ns>{})), ...);
}
template <std::size_t N, class F>
void repeat_c(F f) {
    repeat_impl(f, std::make_index_sequence<N>{});
}

template <class F>
struct fix_f {
    F f;
    template <class... Ts>
    decltype(auto) operator()(Ts&&... xs) const {
        return f(*this, std::forward<Ts>(xs)...);
    }
};

// A recursive function: fix([](auto self, int n) -> int { … self(n - 1) … }).
template <class F>
fix_f<F> fix(F f) {
    return {f};
}

template <class F, class G>
auto compose(F f, G g) {
    return [f, g](auto&&... xs) { return f(g(std::forward<decltype(xs)>(xs)...)); };
}

struct id {
    template <class T>
    constexpr T operator()(T&& x) const {
        return std::forward<T>(x);
    }
};

template <class... Fs>
struct overloaded : Fs... {
    using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

} // namespace migraphx
#endif
