// SPDX-License-Identifier: MIT
// oneDNN's parallel regions on the engine's threads. A oneDNN built for OpenMP forks by calls into
// the OpenMP run time, whose threads would spin beside the engine's and know nothing of other
// callers. These calls, of that library alone, are redirected to the pool when it is first used.
#pragma once

namespace migraphx::cpu {

/// Redirects once. False where the library makes other calls than those known here (another OpenMP
/// run time, TBB …): it then keeps its own threads, as many as thread_count_guard says if it can be
/// told.
bool share_threads_with_dnnl();

/// While it lives, regions that oneDNN opens on this thread may run their parts one after another
/// when no helper is free. Only for code whose parts never wait for one another.
class parts_in_any_order {
public:
    explicit parts_in_any_order(bool allowed);
    parts_in_any_order(const parts_in_any_order&) = delete;
    parts_in_any_order& operator=(const parts_in_any_order&) = delete;
    ~parts_in_any_order();

private:
    bool before;
};

} // namespace migraphx::cpu
