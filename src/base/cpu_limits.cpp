// SPDX-License-Identifier: MIT
#include "base/cpu_limits.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <sched.h>
#include <sstream>
#include <vector>

namespace migraphx {
namespace {

std::string first_line(const std::string& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

double to_positive(const std::string& text) {
    double x = 0;
    std::from_chars(text.data(), text.data() + text.size(), x);
    return x > 0 ? x : 0;
}

// The quota of one group in processors, or infinity.
double group_quota(const std::string& folder, bool unified) {
    double quota = 0;
    double period = 0;
    if (unified) {
        const auto line = first_line(folder + "/cpu.max"); // "max 100000" or "150000 100000"
        const auto space = line.find(' ');
        if (space != std::string::npos) {
            quota = to_positive(line.substr(0, space));
            period = to_positive(line.substr(space + 1));
        }
    } else {
        quota = to_positive(first_line(folder + "/cpu.cfs_quota_us")); // -1: none
        period = to_positive(first_line(folder + "/cpu.cfs_period_us"));
    }
    return quota > 0 and period > 0 ? quota / period : std::numeric_limits<double>::infinity();
}

bool lists(const std::string& comma_separated, const std::string& word) {
    return ("," + comma_separated + ",").find("," + word + ",") != std::string::npos;
}

// A hierarchy of groups in the file system: `group` of it is seen at `folder`.
struct group_mount {
    std::string group;
    std::string folder;
    bool unified;
};

// Of those that can limit processors.
std::vector<group_mount> group_mounts(const std::string& process) {
    std::vector<group_mount> mounts;
    std::ifstream in(process + "/mountinfo");
    std::string line;
    while (std::getline(in, line)) {
        // "31 23 0:28 /group /folder rw,relatime shared:9 - cgroup2 cgroup2 rw"
        const auto dash = line.find(" - ");
        if (dash == std::string::npos)
            continue;
        std::istringstream head(line.substr(0, dash)), tail(line.substr(dash + 3));
        std::string id, parent, device, type, source, options;
        group_mount m;
        head >> id >> parent >> device >> m.group >> m.folder;
        tail >> type >> source >> options;
        m.unified = type == "cgroup2";
        if (m.unified or (type == "cgroup" and lists(options, "cpu")))
            mounts.push_back(std::move(m));
    }
    return mounts;
}

// The least quota of the group and of those around it, as far as the mount shows them.
double least_quota(const group_mount& m, const std::string& group) {
    std::string below; // of the mounted group; a group outside of it is not visible
    if (m.group == "/")
        below = group == "/" ? "" : group;
    else if (group.starts_with(m.group + "/"))
        below = group.substr(m.group.size());
    double least = group_quota(m.folder, m.unified);
    while (not below.empty() and below != "/") {
        least = std::min(least, group_quota(m.folder + below, m.unified));
        below.resize(below.rfind('/'));
    }
    return least;
}

} // namespace

double cgroup_cpu_quota(const std::string& process) {
    double least = std::numeric_limits<double>::infinity();
    const auto mounts = group_mounts(process);
    std::ifstream groups(process + "/cgroup");
    std::string line;
    while (std::getline(groups, line)) {
        // "0::/group" (v2) or "4:cpu,cpuacct:/group" (v1)
        const auto a = line.find(':');
        const auto b = a == std::string::npos ? a : line.find(':', a + 1);
        if (b == std::string::npos or b + 1 >= line.size() or line[b + 1] != '/')
            continue;
        const auto controllers = line.substr(a + 1, b - a - 1);
        const bool unified = controllers.empty();
        if (not unified and not lists(controllers, "cpu"))
            continue;
        for (const auto& m : mounts)
            if (m.unified == unified)
                least = std::min(least, least_quota(m, line.substr(b + 1)));
    }
    return least;
}

int processors_in_set() {
    // The system's mask may be longer than cpu_set_t.
    for (int most = CPU_SETSIZE; most <= (1 << 20); most *= 4) {
        cpu_set_t* set = CPU_ALLOC(most);
        if (set == nullptr)
            break;
        const auto bytes = CPU_ALLOC_SIZE(most);
        CPU_ZERO_S(bytes, set);
        const bool known = sched_getaffinity(0, bytes, set) == 0;
        const int count = known ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (known)
            return std::max(1, count);
    }
    return 1;
}

} // namespace migraphx
