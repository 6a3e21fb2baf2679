// SPDX-License-Identifier: MIT
// ngram_count(x (C) or (N, C), pool): how often each n-gram of the pool occurs in a row, its tokens
// at most `max_skip` apart. The pool holds the n-grams of 1 token, then those of 2 ...; those of n
// + 1 tokens begin at starts[n], and n-gram i is counted in column columns[i].
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

namespace migraphx {

namespace {

// A tree of tokens; an n-gram ends in the node that its last token leads to.
class ngram_tree {
public:
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    ngram_tree() : columns(1, none) {}
    void add(const int64_t* tokens, std::size_t count, std::size_t column) {
        std::size_t node = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const auto [it, fresh] = edges.try_emplace({node, tokens[i]}, columns.size());
            if (fresh)
                columns.push_back(none);
            node = it->second;
        }
        columns[node] = column;
    }
    /// The node that a token leads to, none when there is none.
    std::size_t next(std::size_t node, int64_t token) const {
        const auto it = edges.find({node, token});
        return it == edges.end() ? none : it->second;
    }
    /// Where the n-gram that ends in a node is counted.
    std::size_t column(std::size_t node) const { return columns[node]; }

private:
    struct edge {
        std::size_t node;
        int64_t token;
        bool operator==(const edge&) const = default;
    };
    struct hash {
        std::size_t operator()(const edge& e) const {
            return (e.node * 0x9e3779b97f4a7c15u) ^
                   (static_cast<std::size_t>(e.token) * 0xc2b2ae3d27d4eb4fu);
        }
    };
    std::unordered_map<edge, std::size_t, hash> edges;
    std::vector<std::size_t> columns;
};

struct ngram_count_op {
    int64_t min_length = 1;
    int64_t max_length = 1;
    int64_t max_skip = 0;
    std::vector<int64_t> starts;
    std::vector<int64_t> columns;

    static constexpr auto name = "ngram_count";
    static constexpr auto summary = "How often the n-grams of a pool occur";
    static void fields(field_list<ngram_count_op>& f) {
        f.add("min_length", &ngram_count_op::min_length, "tokens of the shortest n-gram to count");
        f.add("max_length", &ngram_count_op::max_length, "tokens of the longest one");
        f.add("max_skip", &ngram_count_op::max_skip, "tokens left out between two of an n-gram");
        f.add("starts", &ngram_count_op::starts,
              "where the n-grams of each length begin in the pool");
        f.add("columns", &ngram_count_op::columns,
              "column of the result for each n-gram of the pool");
    }

    std::size_t width() const {
        return columns.empty()
                   ? 0
                   : static_cast<std::size_t>(*std::max_element(columns.begin(), columns.end())) +
                         1;
    }
    // Number of tokens in the pool of n-grams of length n + 1.
    int64_t part_end(std::size_t n, std::size_t pool) const {
        return n + 1 < starts.size() ? starts[n + 1] : static_cast<int64_t>(pool);
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().integral();
        expect(in).only(1, 2).rank(1).static_shapes();
        if (min_length < 1 or max_length < min_length or max_skip < 0)
            fail_shape(str("lengths from 1 up and skips from 0 up were expected, got ", min_length,
                           " to ", max_length, " and ", max_skip));
        constexpr auto most = int64_t{1} << 26;
        for (auto c : columns)
            if (c < 0 or c >= most)
                fail_shape(str("columns of 0 or more were expected, got ", c));
        const auto pool = in[1].elements();
        std::size_t grams = 0;
        for (std::size_t n = 0; n < starts.size(); ++n) {
            const auto begin = starts[n], end = part_end(n, pool);
            if (begin < 0 or end < begin or end > static_cast<int64_t>(pool) or
                static_cast<std::size_t>(end - begin) % (n + 1) != 0)
                fail_shape(str("n-grams of ", n + 1,
                               " tokens were expected in the pool, got tokens ", begin, " to ",
                               end));
            grams += static_cast<std::size_t>(end - begin) / (n + 1);
        }
        if (grams > columns.size())
            fail_shape(str(grams, " columns were expected, got ", columns.size()));
        auto dims = dims_of(in[0]);
        if (dims.empty() or dims.size() > 2)
            fail_shape(str("one row or rows of tokens were expected, got ", in[0]));
        dims.back() = {width(), width()};
        if (in[0].dynamic())
            return {shape::float_type,
                    in[0].symbolic() ? dims_of(shape{shape::float_type, dims}, true) : dims};
        auto lens = in[0].lens();
        lens.back() = width();
        return {shape::float_type, lens};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto x = load<int64_t>(in[0]);
        const auto tree = read_pool(load<int64_t>(in[1]));
        const auto length = in[0].get_shape().lens().back(), count = width();
        const auto rows = count == 0 ? 0 : out.get_shape().elements() / count;
        parallel_for(static_cast<int64_t>(rows), 1, [&](int64_t begin, int64_t end) {
            std::vector<double> y(count);
            for (auto r = static_cast<std::size_t>(begin); r < static_cast<std::size_t>(end); ++r) {
                std::fill(y.begin(), y.end(), 0.0);
                count_row(tree, x.data() + r * length, length, y);
                store(out, r * count, count, y.data());
            }
        });
    }

private:
    ngram_tree read_pool(const std::vector<int64_t>& pool) const {
        ngram_tree tree;
        std::size_t gram = 0;
        for (std::size_t n = 0; n < starts.size(); ++n) {
            const auto end = static_cast<std::size_t>(part_end(n, pool.size()));
            const auto length = static_cast<int64_t>(n) + 1;
            for (auto at = static_cast<std::size_t>(starts[n]); at < end; at += n + 1, ++gram)
                if (length >= min_length and length <= max_length)
                    tree.add(pool.data() + at, n + 1, static_cast<std::size_t>(columns[gram]));
        }
        return tree;
    }
    void count_row(const ngram_tree& tree, const int64_t* x, std::size_t length,
                   std::vector<double>& y) const {
        const auto longest = static_cast<std::size_t>(max_length);
        auto shortest = static_cast<std::size_t>(min_length);
        const auto most_steps =
            std::min(static_cast<std::size_t>(max_skip) + 1, std::max<std::size_t>(length, 1));
        for (std::size_t step = 1; step <= most_steps and shortest <= longest; ++step) {
            for (std::size_t start = 0; start < length; ++start) {
                std::size_t node = 0, at = start;
                for (std::size_t n = 1; n <= longest and at < length; ++n, at += step) {
                    node = tree.next(node, x[at]);
                    if (node == ngram_tree::none)
                        break;
                    if (n >= shortest and tree.column(node) != ngram_tree::none)
                        y[tree.column(node)] += 1;
                }
            }
            // Single tokens have nothing between them: they are counted once.
            if (shortest == 1)
                shortest = 2;
        }
    }
};

const registered_op<ngram_count_op> ngram_count_registered;

} // namespace

} // namespace migraphx
