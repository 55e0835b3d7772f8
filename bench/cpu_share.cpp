// SPDX-License-Identifier: Apache-2.0
#include "bench/cpu_share.hpp"

#include "bench/process.hpp"

#include <unistd.h>

#include <cmath>
#include <fstream>
#include <string>
#include <system_error>

namespace eventweft::bench {

namespace {

namespace fs = std::filesystem;

// Short enough for what is held not to stand still for long.
constexpr long period_us = 10'000;

// Only what the kernel has put there: elsewhere an ordinary file would do.
bool write_line(const fs::path& file, const std::string& line) {
  if (!fs::exists(file))
    return false;
  std::ofstream out{file};
  out << line << std::flush;
  return out.good();
}

bool limit(const fs::path& group, double cores) {
  const auto period = std::to_string(period_us);
  const auto quota = std::to_string(std::lround(cores * period_us));
  if (fs::exists(group / "cpu.max"))
    return write_line(group / "cpu.max", quota + " " + period);
  return write_line(group / "cpu.cfs_period_us", period) &&
         write_line(group / "cpu.cfs_quota_us", quota);
}

// Children that are started meanwhile are in their parent's group already.
bool move(pid_t process, const fs::path& group) {
  const auto procs = group / "cgroup.procs";
  if (!write_line(procs, std::to_string(process)))
    return false;
  for (const auto child : children_of(process))
    // It may have ended.
    write_line(procs, std::to_string(child));
  return true;
}

} // namespace

std::unique_ptr<cpu_share> cpu_share::hold(pid_t process, double cores) {
  for (const fs::path root : {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup"}) {
    std::error_code failed;
    const auto group = root / ("eventweft-bench-" + std::to_string(::getpid()));
    // Version 2 asks for it, version 1 has no such file.
    write_line(root / "cgroup.subtree_control", "+cpu");
    if (!fs::create_directory(group, failed))
      continue;
    if (limit(group, cores) && move(process, group))
      return std::unique_ptr<cpu_share>{new cpu_share{group, process}};
    fs::remove(group, failed);
  }
  return nullptr;
}

cpu_share::~cpu_share() {
  move(process_, group_.parent_path());
  std::error_code ignored;
  fs::remove(group_, ignored);
}

} // namespace eventweft::bench
