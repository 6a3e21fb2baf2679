// SPDX-License-Identifier: MIT
// lookup(x, keys (k), values (k), fallback): the value whose key equals each element of x, else the
// fallback. NaN is equal to NaN; of equal keys the last one counts.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <cstring>
#include <string_view>
#include <unordered_map>

namespace migraphx {

namespace {

template <class T>
std::vector<T> keys_of(const argument& a) {
    if constexpr (std::is_same_v<T, std::string_view>)
        return strings_of(a);
    else
        return load<T>(a);
}

// Calls f with a value of the class in which elements of `t` are compared.
template <class F>
void with_key(shape::type_t t, F f) {
    if (t == shape::string_type)
        f(std::string_view{});
    else
        with_number(t, f);
}

// From the keys to their positions.
template <class T>
class key_table {
public:
    explicit key_table(const argument& keys) {
        std::size_t i = 0;
        for (auto k : keys_of<T>(keys)) {
            if (is_nan(k))
                nan = i;
            else
                found[k] = i;
            ++i;
        }
        none = i;
    }
    /// The number of keys when there is none.
    std::size_t operator()(T x) const {
        if (is_nan(x))
            return nan == no_key ? none : nan;
        const auto it = found.find(x);
        return it == found.end() ? none : it->second;
    }

private:
    static constexpr auto no_key = static_cast<std::size_t>(-1);
    static bool is_nan(T x) { return x != x; }
    std::unordered_map<T, std::size_t> found;
    std::size_t nan = no_key, none = 0;
};

struct lookup_op {
    static constexpr auto name = "lookup";
    static constexpr auto summary = "Values whose keys equal the elements";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(4).tensor();
        expect(in).only(0, 2).same_type();
        expect(in).only(2, 4).same_type();
        expect(in).only(1, 3).rank(1);
        const auto keys = dims_of(in[1])[0], values = dims_of(in[2])[0];
        if (not keys.is_symbolic() and not values.is_symbolic() and not keys.intersection(values))
            fail_shape(str("as many values as keys were expected, got ", in[2], " and ", in[1]));
        if (not in[3].dynamic() and in[3].elements() != 1)
            fail_shape(str("one value as the fallback was expected, got ", in[3]));
        return keep_permutation_or_standard(in[0], in[2].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& to = out.get_shape();
        const auto size = to.type_size();
        // The values and, behind them, the fallback.
        const auto count = in[2].get_shape().elements();
        argument all{shape{to.type(), {count + 1}}};
        std::size_t at = 0;
        for (std::size_t i : {2, 3})
            each_offset(in[i].get_shape(), [&](std::size_t o) {
                std::memcpy(all.data() + at++ * size, in[i].data() + o * size, size);
            });
        with_key(in[0].get_shape().type(), [&](auto tag) {
            const key_table<decltype(tag)> position(in[1]);
            const auto x = keys_of<decltype(tag)>(in[0]);
            auto next = x.begin();
            each_offset(to, [&](std::size_t o) {
                std::memcpy(out.data() + o * size, all.data() + position(*next++) * size, size);
            });
        });
    }
};

const registered_op<lookup_op> lookup_registered;

} // namespace

} // namespace migraphx
