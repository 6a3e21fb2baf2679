// SPDX-License-Identifier: MIT
#include "targets/gpu/plan/upload.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/program.hpp>

#include "base/parallel.hpp"
#include "ops/tensor.hpp"
#include "targets/gpu/lowering.hpp"
#include "targets/gpu/plan/lanes.hpp"

#include <algorithm>
#include <cstring>

namespace migraphx::gpu {

namespace {

constexpr std::size_t piece = std::size_t{2} << 20;         // bytes of one copy to the device
constexpr std::size_t by_one_thread = std::size_t{1} << 18; // that a thread copies at least

void copy_to_pinned(char* to, const char* from, std::size_t bytes) {
    parallel_for(std::int64_t(bytes), by_one_thread, [&](std::int64_t first, std::int64_t last) {
        std::memcpy(to + first, from + first, std::size_t(last - first));
    });
}

} // namespace

void uploader::add(std::size_t at, const argument& given, const shape& declared,
                   std::size_t bytes) {
    if (bytes == 0)
        return;
    if (at >= end + device_alignment) // what is in between is not to be touched
        finish();
    if (begin == end)
        begin = end = at;
    if (given.get_shape() != declared and declared.elements() > 1) {
        copy_elements(argument{declared, staging + at}, given);
        filled(at + bytes);
        return;
    }
    for (std::size_t done = 0; done < bytes; done += piece) {
        const auto n = std::min(piece, bytes - done);
        copy_to_pinned(staging + at + done, given.data() + done, n);
        filled(at + done + n);
    }
}

void uploader::filled(std::size_t to) {
    end = to;
    if (end - begin >= piece)
        finish();
}

void uploader::finish() {
    if (end > begin)
        on.copy(io + begin, staging + begin, end - begin, copy_kind::to_device, queue);
    begin = end;
}

struct layout_copier::made {
    shape from, to;
    program source; // the kernel may refer to its instruction
    std::unique_ptr<kernel> work;
};

layout_copier::~layout_copier() = default;

void layout_copier::copy(char* to, const shape& declared, const argument& given, stream s) {
    constexpr std::size_t most = 16;
    std::shared_ptr<made> k;
    const auto same = [&](const auto& x) {
        return x->from == given.get_shape() and x->to == declared;
    };
    {
        const std::lock_guard lock(mutex);
        if (auto it = std::find_if(kernels.begin(), kernels.end(), same); it != kernels.end()) {
            kernels.splice(kernels.begin(), kernels, it);
            k = *it;
        }
    }
    if (k == nullptr) {
        k = std::make_shared<made>();
        k->from = given.get_shape();
        k->to = declared;
        auto* m = k->source.get_main_module();
        const auto x = m->add_parameter("x", k->from);
        device_problem p;
        p.ins = m->add_instruction(make_op("contiguous"), x);
        p.op = p.ins->normalized_operator();
        p.inputs = {k->from};
        p.output = declared;
        p.constants.resize(1);
        p.on = where;
        k->work = lower(p);
        const std::lock_guard lock(mutex);
        kernels.push_front(k);
        if (kernels.size() > most)
            kernels.pop_back();
    }
    char* in = given.data();
    const auto scratch_bytes = k->work->scratch_bytes();
    const auto scratch = scratch_bytes > 0 ? where->allocate(scratch_bytes) : nullptr;
    k->work->run({&in, &to, scratch.get(), s});
}

} // namespace migraphx::gpu
