// SPDX-License-Identifier: MIT
// einsum(terms...; equation): sums of products over labelled dimensions, as transposes, reductions
// and matrix products. Terms are multiplied from left to right; a label that no later term and not
// the result has is summed as soon as possible. Merged dimensions that only a run knows become
// values.
#include "ops/builder/site.hpp"

#include <algorithm>
#include <cctype>
#include <map>

namespace migraphx::op::builder {

namespace {

// Letters, and numbers from 256 on for the dimensions of an ellipsis, counted from the last one.
using labels = std::vector<int>;

constexpr int ellipsis_label = 256;

bool contains(const labels& l, int x) {
    return std::find(l.begin(), l.end(), x) != l.end();
}

struct labelled {
    instruction_ref ins;
    labels names;
};

class einsum_builder {
public:
    explicit einsum_builder(site& s) : at(s) {}

    instruction_ref build(const std::string& equation) {
        read(equation);
        auto result = terms[0];
        summed(result, needed_after(0));
        for (std::size_t i = 1; i < terms.size(); ++i)
            result = product(result, terms[i], needed_after(i));
        return ordered(result, output).ins;
    }

private:
    using sizes = std::vector<std::size_t>;

    // ---- the equation
    void read(const std::string& equation) {
        std::string text;
        std::copy_if(equation.begin(), equation.end(), std::back_inserter(text),
                     [](unsigned char c) { return not std::isspace(c); });
        const auto arrow = text.find("->");
        std::string left = text.substr(0, arrow);
        std::vector<std::string> parts(1);
        for (char c : left) {
            if (c == ',')
                parts.emplace_back();
            else
                parts.back() += c;
        }
        if (parts.size() != at.count())
            at.malformed(
                str("an equation of ", at.count(), " terms was expected, got '", equation, "'"));
        for (std::size_t i = 0; i < parts.size(); ++i)
            terms.push_back(read_term(parts[i], at.operand(i)));
        // A size above 1 of one term is that of all others.
        std::erase_if(unknown, [&](const auto& u) {
            const auto it = length.find(u.first);
            return it != length.end() and it->second > 1;
        });
        if (arrow != std::string::npos)
            output = read_labels(text.substr(arrow + 2), ellipsis_rank);
        else
            implicit_output();
        for (int l : output)
            if (std::count(output.begin(), output.end(), l) > 1 or
                (not length.contains(l) and not unknown.contains(l)))
                at.malformed("results whose labels are in a term, each once, were expected, got '" +
                             equation + "'");
    }
    labels read_labels(const std::string& term, std::size_t of_ellipsis) {
        labels result;
        for (std::size_t i = 0; i < term.size(); ++i) {
            if (std::isalpha(static_cast<unsigned char>(term[i])))
                result.push_back(term[i]);
            else if (term.compare(i, 3, "...") == 0) {
                for (auto k = of_ellipsis; k-- > 0;)
                    result.push_back(ellipsis_label + static_cast<int>(k));
                i += 2;
            } else
                at.malformed("letters and ... were expected, got '" + term + "'");
        }
        return result;
    }
    labelled read_term(const std::string& term, instruction_ref x) {
        const auto& s = x->get_shape();
        const auto letters = static_cast<std::size_t>(std::count_if(
            term.begin(), term.end(), [](unsigned char c) { return std::isalpha(c); }));
        // A tensor without dimensions has no labels.
        const bool scalar =
            not s.dynamic() and s.scalar() and s.ndim() == 1 and s.elements() == 1 and letters == 0;
        const auto rank = scalar ? 0 : s.ndim();
        const bool open = term.find("...") != std::string::npos;
        if (letters > rank or (not open and letters != rank))
            at.malformed(str("a term of ", rank, " labels was expected, got '", term, "'"));
        labelled t{x, read_labels(term, rank - letters)};
        if (open)
            ellipsis_rank = std::max(ellipsis_rank, rank - letters);
        if (scalar)
            return t;
        diagonal(t);
        for (std::size_t d = 0; d < t.names.size(); ++d) {
            auto& n = length[t.names[d]];
            const auto lo = t.ins->get_shape().min_lens()[d],
                       len = t.ins->get_shape().max_lens()[d];
            if (lo != len) {
                unknown.try_emplace(t.names[d], t.ins, d);
                continue;
            }
            if (n > 1 and len > 1 and n != len)
                at.malformed(
                    str("equal sizes for each label were expected, got ", n, " and ", len));
            n = n == 0 or n == 1 ? len : n;
        }
        return t;
    }
    void implicit_output() {
        std::map<int, int> uses;
        for (const auto& t : terms)
            for (int l : t.names)
                ++uses[l];
        for (auto k = ellipsis_rank; k-- > 0;)
            output.push_back(ellipsis_label + static_cast<int>(k));
        for (const auto& [l, n] : uses)
            if (l < ellipsis_label and n == 1 and not repeated.contains(l))
                output.push_back(l);
    }
    labels needed_after(std::size_t i) const {
        labels result = output;
        for (auto j = i + 1; j < terms.size(); ++j)
            result.insert(result.end(), terms[j].names.begin(), terms[j].names.end());
        return result;
    }

    // ---- single terms
    instruction_ref reshape(instruction_ref x, const sizes& dims) {
        return at.add(make_op("reshape", {{"dims", dims.empty() ? sizes{1} : dims}}), {x});
    }
    bool is_known(const labels& names) const {
        return std::none_of(names.begin(), names.end(), [&](int l) { return unknown.contains(l); });
    }
    // The product of the lengths of these labels, as a vector of one element.
    instruction_ref size_of(const labels& names) {
        std::size_t known = 1;
        for (int l : names)
            known *= unknown.contains(l) ? 1 : length.at(l);
        auto size = at.literal({shape{shape::int64_type, {1}}, std::vector<std::size_t>{known}});
        for (int l : names)
            if (const auto it = unknown.find(l); it != unknown.end()) {
                const auto [ins, d] = it->second;
                const auto dim =
                    at.add(make_op("dimensions_of", {{"start", d}, {"end", d + 1}}), {ins});
                size = at.add("mul", size, dim);
            }
        return size;
    }
    instruction_ref sizes_of(const std::vector<labels>& groups) {
        instructions parts;
        for (const auto& g : groups)
            parts.push_back(size_of(g));
        return at.add(make_op("concat", {{"axis", 0}}), parts);
    }
    // Each group of labels becomes one dimension.
    instruction_ref merged(instruction_ref x, const std::vector<labels>& groups) {
        std::vector<int64_t> dims;
        int open = 0;
        for (const auto& g : groups) {
            const bool known = is_known(g);
            open += known ? 0 : 1;
            dims.push_back(known ? static_cast<int64_t>(elements(g)) : -1);
        }
        // With a dimension of 0 among the others -1 would say nothing.
        if (open > 1 or (open == 1 and std::find(dims.begin(), dims.end(), 0) != dims.end()))
            return at.add("reshape_dynamic", x, sizes_of(groups));
        return at.add(make_op("reshape", {{"dims", dims}}), {x});
    }
    static std::vector<labels> one_by_one(const labels& names) {
        std::vector<labels> result;
        for (int l : names)
            result.push_back({l});
        return result;
    }
    // A label that occurs twice selects the diagonal: every (n + 1)-th element of the two
    // dimensions.
    void diagonal(labelled& t) {
        for (std::size_t i = 0; i < t.names.size(); ++i)
            for (auto j = i + 1; j < t.names.size();) {
                if (t.names[i] != t.names[j]) {
                    ++j;
                    continue;
                }
                repeated[t.names[i]] = true;
                if (t.ins->get_shape().dynamic())
                    at.malformed(str("a static shape was expected for a repeated label, got ",
                                     t.ins->get_shape()));
                const auto& lens = t.ins->get_shape().lens();
                if (lens[i] != lens[j] or lens[i] == 0)
                    at.malformed("equal sizes of a repeated label were expected, got others");
                const auto n = lens[i];
                labels order;
                std::vector<int64_t> perm;
                sizes dims;
                for (std::size_t d = 0; d < lens.size(); ++d)
                    if (d != i and d != j) {
                        perm.push_back(static_cast<int64_t>(d));
                        order.push_back(t.names[d]);
                        dims.push_back(lens[d]);
                    }
                perm.push_back(static_cast<int64_t>(i));
                perm.push_back(static_cast<int64_t>(j));
                order.push_back(t.names[i]);
                dims.push_back(n * n);
                const auto moved = at.add(make_op("transpose", {{"permutation", perm}}), {t.ins});
                const auto last = static_cast<int64_t>(dims.size()) - 1;
                t.ins = at.add(make_op("step", {{"axes", std::vector<int64_t>{last}},
                                                {"steps", std::vector<std::size_t>{n + 1}}}),
                               {reshape(moved, dims)});
                t.names = order;
                // Start over: the positions have changed.
                i = 0;
                j = 1;
            }
    }
    void summed(labelled& t, const labels& needed) {
        std::vector<int64_t> axes;
        labels kept;
        for (std::size_t d = 0; d < t.names.size(); ++d) {
            if (contains(needed, t.names[d]))
                kept.push_back(t.names[d]);
            else
                axes.push_back(static_cast<int64_t>(d));
        }
        if (axes.empty())
            return;
        t.ins = at.add(make_op("reduce_sum", {{"axes", axes}}), {t.ins});
        t.ins = at.add(make_op("squeeze", {{"axes", axes}}), {t.ins});
        t.names = kept;
    }
    // The dimensions in another order; labels that the term lacks are not in `names`.
    labelled ordered(labelled t, const labels& names) {
        std::vector<int64_t> perm;
        for (int l : names)
            perm.push_back(std::find(t.names.begin(), t.names.end(), l) - t.names.begin());
        if (not std::is_sorted(perm.begin(), perm.end()))
            t.ins = at.add(make_op("transpose", {{"permutation", perm}}), {t.ins});
        t.names = names;
        return t;
    }
    std::size_t elements(const labels& names) const {
        std::size_t n = 1;
        for (int l : names)
            n *= length.at(l);
        return n;
    }
    // Dimensions of 1 in the length that other terms give them.
    instruction_ref stretched(const labelled& t) {
        const auto& s = t.ins->get_shape();
        const auto least = s.min_lens(), most = s.max_lens();
        bool shorter = false;
        for (std::size_t d = 0; d < t.names.size(); ++d) {
            const bool open = unknown.contains(t.names[d]);
            if (least[d] <= 1 and (most[d] == 1 or not open))
                shorter = shorter or open or length.at(t.names[d]) != 1;
        }
        if (not shorter)
            return t.ins;
        if (s.dynamic() or not is_known(t.names))
            return at.add("broadcast_with_dims", t.ins, sizes_of(one_by_one(t.names)));
        sizes full;
        for (int l : t.names)
            full.push_back(length.at(l));
        return at.add(make_op("multibroadcast", {{"out_lens", full}}), {t.ins});
    }
    // The term with its dimensions in this order and full length, as (batch, rows, columns).
    instruction_ref as_matrices(labelled t, const labels& batch, const labels& rows,
                                const labels& columns) {
        labels all = batch;
        all.insert(all.end(), rows.begin(), rows.end());
        all.insert(all.end(), columns.begin(), columns.end());
        return merged(stretched(ordered(t, all)), {batch, rows, columns});
    }
    // No dimension of 1 is to be stretched.
    static bool same_lengths(const labelled& a, const labelled& b, const labels& names) {
        return std::all_of(names.begin(), names.end(), [&](int l) {
            const auto most = [&](const labelled& t) {
                const auto at = std::find(t.names.begin(), t.names.end(), l) - t.names.begin();
                return t.ins->get_shape().max_lens()[static_cast<std::size_t>(at)];
            };
            const auto x = most(a), y = most(b);
            return x == y or (x != 1 and y != 1);
        });
    }
    // The term as (batch…, rows, columns) with a dimension of 1 in place of none.
    instruction_ref as_matrix(labelled t, const labels& batch, const labels& rows,
                              const labels& columns) {
        labels all = batch;
        all.insert(all.end(), rows.begin(), rows.end());
        all.insert(all.end(), columns.begin(), columns.end());
        t = ordered(t, all);
        std::vector<std::size_t> axes;
        if (rows.empty())
            axes.push_back(batch.size());
        if (columns.empty())
            axes.push_back(batch.size() + 1);
        return axes.empty() ? t.ins : at.add(make_op("unsqueeze", {{"axes", axes}}), {t.ins});
    }
    labelled matrix_product(const labelled& a, const labelled& b, const labels& batch,
                            const labels& rows, const labels& columns, const labels& contracted) {
        const auto x = as_matrix(a, batch, rows, contracted);
        const auto y = as_matrix(b, batch, contracted, columns);
        labelled result{at.call("dot", {x, y}), batch};
        result.names.insert(result.names.end(), rows.begin(), rows.end());
        result.names.insert(result.names.end(), columns.begin(), columns.end());
        std::vector<std::size_t> axes;
        if (rows.empty())
            axes.push_back(batch.size());
        if (columns.empty())
            axes.push_back(batch.size() + 1);
        if (not axes.empty())
            result.ins = at.add(make_op("squeeze", {{"axes", axes}}), {result.ins});
        return result;
    }
    labelled product(labelled a, labelled b, const labels& needed) {
        // What only one side has and nobody needs is summed before.
        labels for_a = needed, for_b = needed;
        for_a.insert(for_a.end(), b.names.begin(), b.names.end());
        for_b.insert(for_b.end(), a.names.begin(), a.names.end());
        summed(a, for_a);
        summed(b, for_b);
        labels batch, contracted, rows, columns;
        for (int l : a.names) {
            if (not contains(b.names, l))
                rows.push_back(l);
            else
                (contains(needed, l) ? batch : contracted).push_back(l);
        }
        for (int l : b.names)
            if (not contains(a.names, l))
                columns.push_back(l);
        if (std::max({rows.size(), columns.size(), contracted.size()}) <= 1 and
            same_lengths(a, b, contracted))
            return matrix_product(a, b, batch, rows, columns, contracted);
        const auto x = as_matrices(a, batch, rows, contracted);
        const auto y = as_matrices(b, batch, contracted, columns);
        labelled result{at.add("dot", x, y), batch};
        result.names.insert(result.names.end(), rows.begin(), rows.end());
        result.names.insert(result.names.end(), columns.begin(), columns.end());
        result.ins = result.names.empty()
                         ? at.add(make_op("squeeze", {{"axes", sizes{0, 1, 2}}}), {result.ins})
                         : merged(result.ins, one_by_one(result.names));
        return result;
    }

    site& at;
    std::vector<labelled> terms;
    labels output;
    std::map<int, std::size_t> length;
    std::map<int, bool> repeated;
    std::map<int, std::pair<instruction_ref, std::size_t>>
        unknown; ///< where a run tells the length
    std::size_t ellipsis_rank = 0;
};

instructions build_einsum(site& s) {
    if (s.count() == 0)
        s.malformed("at least one term was expected, got none");
    return {einsum_builder{s}.build(s.option<std::string>("equation", ""))};
}

const recipes einsum_recipes{{"einsum", build_einsum, {"equation"}}};

} // namespace

} // namespace migraphx::op::builder
