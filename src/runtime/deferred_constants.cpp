// SPDX-License-Identifier: MIT
#include "runtime/deferred_constants.hpp"

#include "base/phase_times.hpp"
#include "ops/copy.hpp"
#include "ops/tensor.hpp"
#include "runtime/buffer_pool.hpp"

#include <algorithm>

#include <sys/mman.h>
#include <unistd.h>

namespace migraphx {

namespace {

// The memory stays reserved; its pages go back to the system.
void drop_pages(char* p, std::size_t bytes) {
    static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = (reinterpret_cast<std::uintptr_t>(p) + page - 1) / page * page;
    const auto end = (reinterpret_cast<std::uintptr_t>(p) + bytes) / page * page;
    if (begin < end)
        ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

} // namespace

bool deferred_constants::can_defer(instruction_ref ins) {
    return ins->name() == "concat" and not ins->get_shape().any_of_dynamic() and
           ins->get_shape().type() != shape::tuple_type and not ins->get_shape().is_boxed();
}

deferred_constants::item* deferred_constants::find(instruction_ref value) const {
    if (items.empty())
        return nullptr;
    while (is_view(value))
        value = value->inputs().front();
    auto it = items.find(value);
    return it == items.end() ? nullptr : it->second.get();
}

// Uses by kernels, also through views, and whether there are others.
void deferred_constants::count_users(instruction_ref value, item& x) const {
    for (auto user : value->outputs())
        if (is_view(user))
            count_users(user, x);
        else if (is_kernel(user))
            x.users += std::size_t(std::count(user->inputs().begin(), user->inputs().end(), value));
        else
            x.kept = true;
}

argument deferred_constants::add(instruction_ref ins, const std::vector<argument>& inputs) {
    auto x = std::make_unique<item>();
    x->axis = ins->normalized_operator().get<std::size_t>("axis");
    x->inputs = inputs;
    x->result = argument{ins->get_shape(), allocate_host(ins->get_shape().bytes())};
    count_users(ins, *x);
    if (x->kept)
        x->fill();
    auto result = x->result;
    items[ins] = std::move(x);
    return result;
}

void deferred_constants::item::fill() {
    if (filled)
        return;
    const timed_work row("joining constants");
    std::vector<std::size_t> start(result.get_shape().ndim(), 0);
    for (const auto& part : inputs) {
        const auto& lens = part.get_shape().lens();
        copy_elements(block_of(result, start, lens), part);
        start[axis] += lens[axis];
    }
    filled = true;
}

void deferred_constants::hold(instruction_ref operand) const {
    if (auto* x = find(operand)) {
        const std::lock_guard lock(x->mutex);
        x->fill();
    }
}

void deferred_constants::release(instruction_ref operand, bool reads) const {
    auto* x = find(operand);
    if (x == nullptr)
        return;
    const std::lock_guard lock(x->mutex);
    x->kept = x->kept or reads;
    if (--x->users > 0 or x->kept)
        return;
    drop_pages(x->result.data(), x->result.get_shape().bytes());
    x->filled = false;
}

} // namespace migraphx
