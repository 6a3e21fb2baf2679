// SPDX-License-Identifier: MIT
// tree_ensemble(x (N, F), nodes (n, 6), thresholds (n), targets (l), weights (l), roots (t),
// members (m)): decision trees over the rows of x; what the leaf reached in each tree votes for,
// aggregated. Columns of `nodes`:
//   feature
//   mode      0: x <= threshold  1: <  2: >=  3: >  4: ==  5: !=  6: x is a member  7: a leaf;
//             plus 8: NaN goes the way of true
//   on true, on false   nodes further down the table
//   first, count        of a leaf its part of targets and weights, of mode 6 its part of members
#include "ops/tree_ensemble.hpp"
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace migraphx {

namespace {

constexpr std::size_t tree_columns = 6;

template <class T>
tree_mode mode_of(const T* node) {
    return static_cast<tree_mode>(node[1] & 7);
}

// The elements of a tensor in row-major order; copied only when they are not.
template <class T>
class row_major {
public:
    explicit row_major(const argument& a) : kept(a) {
        if (not a.get_shape().standard()) {
            kept = argument::uninitialized(a.get_shape().as_standard());
            copy_elements(kept, a);
        }
        count = kept.get_shape().elements();
        first = reinterpret_cast<const T*>(kept.data());
    }
    const T& operator[](std::size_t i) const { return first[i]; }
    const T* data() const { return first; }
    std::size_t size() const { return count; }

private:
    argument kept;
    const T* first;
    std::size_t count;
};

struct tree_ensemble_op {
    int64_t n_targets = 1;
    int aggregate = 1;

    static constexpr auto name = "tree_ensemble";
    static constexpr auto summary = "Votes of decision trees";
    static void fields(field_list<tree_ensemble_op>& f) {
        f.add("n_targets", &tree_ensemble_op::n_targets, "columns of the result");
        f.choice("aggregate", &tree_ensemble_op::aggregate, "how votes for one target are combined",
                 {"average", "sum", "min", "max"});
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(7).tensor();
        expect(in).only(0, 2).rank(2);
        expect(in).only(2, 7).rank(1);
        for (std::size_t i : {1, 3, 5})
            if (in[i].type() != shape::int32_type)
                fail_shape(str("int32 was expected for input ", i, ", got ", in[i].type_string()));
        for (std::size_t i : {2, 4, 6})
            if (in[i].type() != in[2].type() or
                (in[i].type() != shape::float_type and in[i].type() != shape::double_type))
                fail_shape(
                    "thresholds, weights and members of one type, float or double, were expected");
        if (in[1].max_lens()[1] != tree_columns)
            fail_shape(
                str(tree_columns, " columns of nodes were expected, got ", in[1].max_lens()[1]));
        const auto other = [&](std::size_t a, std::size_t b) {
            return not in[a].dynamic() and not in[b].dynamic() and
                   in[a].lens()[0] != in[b].lens()[0];
        };
        if (other(1, 2))
            fail_shape(str(in[1].lens()[0], " thresholds were expected, got ", in[2].lens()[0]));
        if (other(3, 4))
            fail_shape(str("as many targets as weights were expected, got ", in[3].lens()[0],
                           " and ", in[4].lens()[0]));
        if (n_targets < 1 or n_targets > std::numeric_limits<int32_t>::max())
            fail_shape(str("a number of targets of 1 or more was expected, got ", n_targets));
        if (aggregate < 0 or aggregate > 3)
            fail_shape(str("aggregate: 0 to 3 was expected, got ", aggregate));
        const auto n = static_cast<std::size_t>(n_targets);
        if (not in[0].dynamic())
            return {in[2].type(), {in[0].lens()[0], n}};
        const auto rows = dims_of(in[0])[0];
        return rows.is_symbolic()
                   ? shape{in[2].type(), dims_of(shape{in[2].type(), {rows, {n, n}}}, true)}
                   : shape{in[2].type(), {rows, shape::dynamic_dimension{n, n}}};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        if (in[2].get_shape().type() == shape::double_type)
            run<double>(out, in);
        else
            run<float>(out, in);
    }

private:
    template <class T>
    struct forest {
        row_major<int32_t> nodes;
        row_major<T> thresholds;
        row_major<int32_t> targets;
        row_major<T> weights;
        row_major<int32_t> roots;
        row_major<T> members;
        std::size_t features;

        // A slice of a list of n elements.
        static void check_part(int32_t first, int32_t count, std::size_t n) {
            if (first < 0 or count < 0 or
                static_cast<std::size_t>(first) + static_cast<std::size_t>(count) > n)
                fail_shape(
                    str("a part of ", n, " elements was expected, got ", count, " from ", first));
        }
        bool holds(const int32_t* node, double threshold, const double* x) const {
            if (node[0] < 0 or static_cast<std::size_t>(node[0]) >= features)
                fail_shape(str("a feature below ", features, " was expected, got ", node[0]));
            const double v = x[node[0]];
            if (std::isnan(v) and (node[1] & 8) != 0)
                return true;
            switch (mode_of(node)) {
            case tree_mode::leq:
                return v <= threshold;
            case tree_mode::lt:
                return v < threshold;
            case tree_mode::gte:
                return v >= threshold;
            case tree_mode::gt:
                return v > threshold;
            case tree_mode::eq:
                return v == threshold;
            case tree_mode::neq:
                return v != threshold;
            default:
                break;
            }
            check_part(node[4], node[5], members.size());
            const auto* first = members.data() + node[4];
            return std::any_of(first, first + node[5],
                               [&](T m) { return static_cast<double>(m) == v; });
        }
        // The leaf that a row reaches from a root.
        const int32_t* find(int32_t root, const double* x) const {
            const auto n = static_cast<int64_t>(thresholds.size());
            if (root < 0 or root >= n)
                fail_shape(str("a root below ", n, " was expected, got ", root));
            for (auto at = root;;) {
                const auto* node = nodes.data() + static_cast<std::size_t>(at) * tree_columns;
                if (mode_of(node) == tree_mode::leaf)
                    return node;
                const auto next =
                    node[holds(node, static_cast<double>(thresholds[static_cast<std::size_t>(at)]),
                               x)
                             ? 2
                             : 3];
                if (next <= at or next >= n)
                    fail_shape(
                        str("a node from ", at + 1, " to ", n - 1, " was expected, got ", next));
                at = next;
            }
        }
    };

    double combine(double a, double b) const {
        return aggregate == 2 ? std::min(a, b) : aggregate == 3 ? std::max(a, b) : a + b;
    }
    template <class T>
    void run(const argument& out, const std::vector<argument>& in) const {
        const forest<T> f{row_major<int32_t>(in[1]),  row_major<T>(in[2]),
                          row_major<int32_t>(in[3]),  row_major<T>(in[4]),
                          row_major<int32_t>(in[5]),  row_major<T>(in[6]),
                          in[0].get_shape().lens()[1]};
        const auto columns = static_cast<std::size_t>(n_targets);
        const double scale =
            aggregate == 0 ? 1 / static_cast<double>(std::max<std::size_t>(1, f.roots.size())) : 1;
        const auto one = [&](std::size_t row, std::vector<double>& x, std::vector<double>& y) {
            load(in[0], row * f.features, f.features, x.data());
            // A target without votes has 0.
            std::vector<bool> voted(columns, false);
            std::fill(y.begin(), y.end(), 0.0);
            for (std::size_t t = 0; t < f.roots.size(); ++t) {
                const auto* node = f.find(f.roots[t], x.data());
                f.check_part(node[4], node[5], f.targets.size());
                const auto first = static_cast<std::size_t>(node[4]),
                           end = first + static_cast<std::size_t>(node[5]);
                for (auto i = first; i < end; ++i) {
                    const auto target = f.targets[i];
                    if (target < 0 or target >= n_targets)
                        fail_shape(
                            str("a target below ", n_targets, " was expected, got ", target));
                    const auto c = static_cast<std::size_t>(target);
                    const auto weight = static_cast<double>(f.weights[i]);
                    y[c] = voted[c] ? combine(y[c], weight) : weight;
                    voted[c] = true;
                }
            }
            for (auto& v : y)
                v *= scale;
            store(out, row * columns, columns, y.data());
        };
        const auto grain =
            std::max<int64_t>(1, int64_t{512} / static_cast<int64_t>(f.roots.size() + 1));
        parallel_for(static_cast<int64_t>(in[0].get_shape().lens()[0]), grain,
                     [&](int64_t begin, int64_t end) {
                         std::vector<double> x(f.features), y(columns);
                         for (auto row = begin; row < end; ++row)
                             one(static_cast<std::size_t>(row), x, y);
                     });
    }
};

const registered_op<tree_ensemble_op> tree_ensemble_registered;

} // namespace

} // namespace migraphx
