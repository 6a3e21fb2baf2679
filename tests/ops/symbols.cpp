// SPDX-License-Identifier: MIT
#include "symbols.hpp"

#include "built_case.hpp"

#include <migraphx/register_target.hpp>

#include "base/str.hpp"
#include "ir/text_parser.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace op_cases {

using namespace migraphx;

namespace {

/// Dimensions of operands that have one size, and the symbol for it.
struct size_group {
    std::size_t extent = 0;
    std::vector<std::pair<std::size_t, std::size_t>> places; // operand, axis
    sym::expr symbol;
};

using groups = std::vector<size_group>;

bool is_sized(const operand& o) {
    return not o.missing and not o.constant and o.type.ndim() > 0 and not o.type.scalar();
}

// Extents of at least two are one group wherever they stand; ones are, as a batch, where they lead.
groups groups_of(const op_case& c) {
    std::map<std::size_t, size_group> by_extent;
    for (std::size_t i = 0; i < c.operands.size(); ++i) {
        const auto& o = c.operands[i];
        if (not is_sized(o) or (c.batch and i > 0))
            continue;
        for (std::size_t axis = 0; axis < (c.batch ? 1 : o.type.ndim()); ++axis) {
            const auto n = o.type.lens()[axis];
            if (n > 1 or (n == 1 and axis == 0 and o.type.ndim() > 1))
                by_extent[n].places.emplace_back(i, axis);
        }
    }
    groups result;
    for (auto& [n, g] : by_extent) {
        g.extent = n;
        g.symbol = sym::var("n" + std::to_string(n), {int64_t(n), int64_t(n + 1)});
        result.push_back(g);
    }
    return result;
}

// Row-major operands, those of the groups longer by one; values given repeat from the first.
op_case grown(const op_case& c, const groups& by) {
    auto result = c;
    for (auto& o : result.operands)
        if (is_sized(o))
            o.type = o.type.as_standard();
    for (const auto& g : by)
        for (const auto& [i, axis] : g.places) {
            auto& o = result.operands[i];
            auto lens = o.type.lens();
            lens[axis]++;
            o.type = shape{o.type.type(), lens};
            if (o.values) {
                const auto given = *o.values;
                o.values->resize(o.type.elements());
                for (std::size_t k = 0; k < o.values->size(); ++k)
                    (*o.values)[k] = given[k % given.size()];
            }
        }
    return result;
}

layout_function declared_with(const groups& by) {
    return [by](const shape& s, std::size_t position) {
        std::vector<shape::dynamic_dimension> dims;
        bool any = false;
        for (std::size_t axis = 0; axis < s.ndim(); ++axis) {
            dims.emplace_back(s.lens()[axis], s.lens()[axis]);
            for (const auto& g : by)
                if (std::count(g.places.begin(), g.places.end(), std::pair{position, axis}) > 0) {
                    dims.back() = shape::dynamic_dimension{g.symbol};
                    any = true;
                }
        }
        return any ? shape{s.type(), dims} : s;
    };
}

/// The same case with static shapes: what is right.
struct static_run {
    op_case tested;
    std::vector<argument> results;
};

std::optional<static_run> run_static(const op_case& c) {
    try {
        static_run result{c, {}};
        auto b = build(c, {}, {});
        b.prog.compile(make_target("ref"));
        for (const auto& r : b.prog.eval(b.parameters))
            result.results.push_back(r.copy());
        return result;
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

// Sizes that follow from values, too, are ranges beforehand.
bool sized_by_values(const op_case& c) {
    const auto op = parse_operation_text(c.operation);
    const auto& given = op.info().shape_inputs;
    return op.info().resolve and std::any_of(given.begin(), given.end(), [&](std::size_t i) {
               return i < c.operands.size() and not c.operands[i].missing;
           });
}

class symbol_checker {
public:
    symbol_checker(const op_case& tested, std::vector<std::string> names)
        : c(tested), targets(std::move(names)), may_be_range(sized_by_values(tested)) {
        if (std::find(targets.begin(), targets.end(), "ref") == targets.end())
            targets.insert(targets.begin(), "ref");
    }

    std::vector<std::string> run() {
        first = run_static(grown(c, {}));
        if (not first)
            return {}; // an expected error, or a fault that other checks report
        groups free;
        for (const auto& g : groups_of(c))
            if (run_static(grown(c, {g})))
                free.push_back(g);
        if (free.empty())
            return {};
        const auto together = run_static(grown(c, free));
        if (together and (free.size() == 1 or infers(free))) {
            check(free, *together);
            return faults;
        }
        for (const auto& g : free)
            check({g}, *run_static(grown(c, {g})));
        if (together and faults.empty())
            check(free, *together);
        return faults;
    }

private:
    static std::string names_of(const groups& by) {
        std::string names;
        for (const auto& g : by)
            names += (names.empty() ? "symbol " : ", ") + g.symbol.to_string();
        return names;
    }

    bool infers(const groups& by) const {
        try {
            build(first->tested, {}, declared_with(by));
            return true;
        } catch (const std::exception&) {
            return false;
        }
    }

    void fault(const groups& by, const std::string& what) {
        if (not what.empty())
            faults.push_back(names_of(by) + ": " + what);
    }

    void check(const groups& by, const static_run& second) {
        try {
            check_shapes(by, second);
            for (const auto& t : targets) {
                auto b = build(first->tested, {}, declared_with(by));
                b.prog.compile(make_target(t), with_copies());
                for (const static_run* at : {&std::as_const(*first), &second}) {
                    const auto given = build(at->tested, {}, {});
                    fault(by, prefixed(t, at == &second ? " at the second size: " : ": ",
                                       differs(b.prog.eval(given.parameters), at->results,
                                               c.tolerance)));
                }
            }
        } catch (const std::exception& e) {
            fault(by, e.what());
        }
    }

    static std::string prefixed(const std::string& target, const char* where,
                                const std::string& what) {
        return what.empty() ? what : target + where + what;
    }

    void check_shapes(const groups& by, const static_run& second) {
        const auto inferred = build(first->tested, {}, declared_with(by)).prog.get_output_shapes();
        for (const static_run* at : {&std::as_const(*first), &second}) {
            std::unordered_map<sym::expr, std::size_t> sizes;
            for (const auto& g : by)
                sizes[g.symbol] = g.extent + (at == &second ? 1 : 0);
            for (std::size_t i = 0; i < inferred.size(); ++i) {
                const auto& wanted = at->results[i].get_shape();
                const auto& s = inferred[i];
                if (may_be_range and s.dynamic() and not s.symbolic()) {
                    if (not shape::is_compatible_lens(wanted, s))
                        return fault(by,
                                     str("result ", i, ": ", s, " was expected to allow ", wanted));
                    continue;
                }
                if (s.dynamic() and not s.symbolic())
                    return fault(by, str("result ", i,
                                         ": a size that follows from the symbols was "
                                         "expected, got ",
                                         s));
                const auto got = s.symbolic() ? s.to_static(sizes) : s;
                if (got.lens() != wanted.lens() or got.type() != wanted.type())
                    return fault(by, str("result ", i, ": ", wanted, " was expected, got ", s));
            }
        }
    }

    const op_case& c;
    std::vector<std::string> targets;
    bool may_be_range;
    std::optional<static_run> first;
    std::vector<std::string> faults;
};

} // namespace

std::vector<std::string> check_symbols(const op_case& c, const std::vector<std::string>& targets) {
    return c.error.empty() ? symbol_checker(c, targets).run() : std::vector<std::string>{};
}

} // namespace op_cases
