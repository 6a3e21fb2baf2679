// SPDX-License-Identifier: MIT
#include "targets/gpu/device/fiber.hpp"

#include <migraphx/errors.hpp>

#include "base/str.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

#if not(defined(__x86_64__) or defined(__aarch64__))
#define MIGRAPHX_FIBER_UCONTEXT 1
#include <ucontext.h>
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace migraphx::gpu {

namespace {

// What generated code keeps in local arrays fits well; only touched pages take memory.
constexpr std::size_t stack_bytes = 256 * 1024;

} // namespace

struct fiber::state {
    char* stack = nullptr; // with a page in front that may not be touched
    std::size_t mapped = 0;
    function entry = nullptr;
    void* context = nullptr;
#ifdef MIGRAPHX_FIBER_UCONTEXT
    ucontext_t where = {};
#else
    void* where = nullptr; // the stack pointer it was left with
#endif
    // What the sanitizers know it by.
    void* frames = nullptr; // AddressSanitizer's, while others run
    const void* bottom = nullptr;
    std::size_t bytes = 0;
    void* identity = nullptr; // ThreadSanitizer's

    state() = default;
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() {
        if (stack == nullptr)
            return;
        forget_frames();
#ifdef __SANITIZE_THREAD__
        __tsan_destroy_fiber(identity);
#endif
        munmap(stack, mapped);
    }

    // What lies on the stack never returns.
    void forget_frames() {
#ifdef __SANITIZE_ADDRESS__
        __asan_unpoison_memory_region(bottom, bytes);
#endif
    }

    // Told before each change, and after it by whoever runs then.
    static void leave(state& from, state& to);
    static void arrive(state& here);
    static void begin(void* self) {
        auto& s = *static_cast<state*>(self);
        arrive(s);
        s.entry(s.context);
    }

    void map_stack() {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        mapped = stack_bytes + page;
        void* const p = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (p == MAP_FAILED)
            fail(error_kind::io,
                 str("host device: no memory for the stack of a thread of a block: ",
                     std::strerror(errno)));
        stack = static_cast<char*>(p);
        mprotect(stack, page, PROT_NONE);
        bottom = stack + page;
        bytes = stack_bytes;
#ifdef __SANITIZE_THREAD__
        identity = __tsan_create_fiber(0);
#endif
    }
};

#if defined(__SANITIZE_ADDRESS__)

namespace {
thread_local fiber::state* left = nullptr;
} // namespace

void fiber::state::leave(state& from, state& to) {
    left = &from;
    __sanitizer_start_switch_fiber(&from.frames, to.bottom, to.bytes);
}

void fiber::state::arrive(state& here) {
    const void* bottom = nullptr;
    std::size_t bytes = 0;
    __sanitizer_finish_switch_fiber(here.frames, &bottom, &bytes);
    here.frames = nullptr;
    left->bottom = bottom; // of the thread's own stack, not known before
    left->bytes = bytes;
}

#elif defined(__SANITIZE_THREAD__)

void fiber::state::leave(state& from, state& to) {
    if (from.identity == nullptr)
        from.identity = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to.identity, 0);
}

void fiber::state::arrive(state&) {}

#else

void fiber::state::leave(state&, state&) {}
void fiber::state::arrive(state&) {}

#endif

#ifdef MIGRAPHX_FIBER_UCONTEXT

namespace {

void start(unsigned high, unsigned low) {
    const auto address = (static_cast<std::uint64_t>(high) << 32) | low;
    fiber::state::begin(reinterpret_cast<void*>(address));
}

} // namespace

void fiber::restart() {
    self->forget_frames();
    getcontext(&self->where);
    self->where.uc_stack.ss_sp = self->stack + (self->mapped - stack_bytes);
    self->where.uc_stack.ss_size = stack_bytes;
    self->where.uc_link = nullptr;
    const auto address = reinterpret_cast<std::uint64_t>(self.get());
    makecontext(&self->where, reinterpret_cast<void (*)()>(start), 2,
                static_cast<unsigned>(address >> 32), static_cast<unsigned>(address));
}

void fiber::change(fiber& from, fiber& to) {
    state::leave(*from.self, *to.self);
    swapcontext(&from.self->where, &to.self->where);
    state::arrive(*from.self);
}

#else

// mgx_fiber_change(void** from, void* to): pushes what a function must preserve, keeps the stack
// pointer in *from and goes on from `to`. mgx_fiber_start is where a new fiber begins: its function
// and argument lie in two of the preserved registers.
#ifdef __x86_64__
asm(R"(
.text
.p2align 4
.type mgx_fiber_change, @function
mgx_fiber_change:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size mgx_fiber_change, .-mgx_fiber_change
.type mgx_fiber_start, @function
mgx_fiber_start:
    movq %r12, %rdi
    callq *%r13
    ud2
.size mgx_fiber_start, .-mgx_fiber_start
)");
#else
asm(R"(
.text
.p2align 4
.type mgx_fiber_change, %function
mgx_fiber_change:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
.size mgx_fiber_change, .-mgx_fiber_change
.type mgx_fiber_start, %function
mgx_fiber_start:
    mov x0, x19
    blr x20
    brk #1
.size mgx_fiber_start, .-mgx_fiber_start
)");
#endif

extern "C" void mgx_fiber_change(void** from, void* to);
extern "C" void mgx_fiber_start();

void fiber::restart() {
    self->forget_frames();
    auto* const top = reinterpret_cast<void**>(self->stack + self->mapped);
    const auto begin = reinterpret_cast<void*>(state::begin);
    const auto start = reinterpret_cast<void*>(mgx_fiber_start);
#ifdef __x86_64__
    // From the stack pointer up: r15 r14 r13 r12 rbx rbp, the address that `ret` goes to; there the
    // stack is aligned as before a call.
    void** const at = top - 9;
    at[0] = at[1] = at[4] = at[5] = nullptr;
    at[2] = begin;
    at[3] = self.get();
    at[6] = start;
#else
    void** const at = top - 20;
    std::memset(at, 0, 160);
    at[0] = self.get();
    at[1] = begin;
    at[11] = start;
#endif
    self->where = at;
}

void fiber::change(fiber& from, fiber& to) {
    state::leave(*from.self, *to.self);
    mgx_fiber_change(&from.self->where, to.self->where);
    state::arrive(*from.self);
}

#endif

fiber::fiber() : self(std::make_unique<state>()) {}

fiber::fiber(function entry, void* context) : fiber() {
    self->entry = entry;
    self->context = context;
    self->map_stack();
    restart();
}

fiber::~fiber() = default;

} // namespace migraphx::gpu
