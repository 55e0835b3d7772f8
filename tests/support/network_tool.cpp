// SPDX-License-Identifier: Apache-2.0
// eventweft_test_network PREFIX COUNT: an Ethernet switch of a test's own.
// Makes the TAP devices PREFIX0 … PREFIX<COUNT-1>, to be moved into network
// namespaces, prints "ready", and carries frames between them until standard
// input ends. Commands on standard input, each answered by "ok" or "error: …":
//   link A B up|down        whether frames pass between two ports
//   delay A B MILLISECONDS  how long they take, each way
//   loss A B PERCENT        how many of them get lost, each way
//   reset                   everything up, at once, and nothing lost
// What `tc netem` does, without a kernel that has it.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <queue>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;
using address = std::array<unsigned char, 6>;

constexpr size_t most_waiting = 50'000;
constexpr size_t largest_frame = 65'536;

struct path {
  bool up = true;
  std::chrono::milliseconds delay{0};
  unsigned loss = 0;
};

struct parcel {
  clock_type::time_point due;
  uint64_t number = 0;
  size_t to = 0;
  std::string bytes;

  bool operator<(const parcel& other) const {
    return due != other.due ? due > other.due : number > other.number;
  }
};

class network {
 public:
  bool open(const std::string& prefix, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
      ifreq request{};
      const auto name = prefix + std::to_string(i);
      std::snprintf(request.ifr_name, sizeof request.ifr_name, "%s",
                    name.c_str());
      request.ifr_flags = IFF_TAP | IFF_NO_PI;
      if (fd < 0 || ::ioctl(fd, TUNSETIFF, &request) != 0)
        return false;
      ports_.push_back(fd);
    }
    return true;
  }

  void run() {
    std::vector<pollfd> waiting(ports_.size() + 1);
    for (;;) {
      waiting[0] = {STDIN_FILENO, POLLIN, 0};
      for (size_t i = 0; i < ports_.size(); ++i)
        waiting[i + 1] = {ports_[i], POLLIN, 0};
      if (::poll(waiting.data(), waiting.size(), patience()) < 0)
        return;
      if (waiting[0].revents != 0 && !commands())
        return;
      for (size_t i = 0; i < ports_.size(); ++i)
        if (waiting[i + 1].revents != 0)
          take(i);
      deliver();
    }
  }

 private:
  int patience() const {
    if (parcels_.empty())
      return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        parcels_.top().due - clock_type::now());
    return static_cast<int>(std::max<int64_t>(0, left.count()));
  }

  path& between(size_t a, size_t b) {
    return paths_[{std::min(a, b), std::max(a, b)}];
  }

  void take(size_t from) {
    for (;;) {
      const auto n = ::read(ports_[from], buffer_.data(), buffer_.size());
      if (n < 14)
        return;
      address to{}, source{};
      std::memcpy(to.data(), buffer_.data(), to.size());
      std::memcpy(source.data(), buffer_.data() + 6, source.size());
      known_[source] = from;
      const std::string bytes{buffer_.data(), static_cast<size_t>(n)};
      const auto i = known_.find(to);
      if ((to[0] & 1) == 0 && i != known_.end()) {
        post(from, i->second, bytes);
        continue;
      }
      for (size_t port = 0; port < ports_.size(); ++port)
        post(from, port, bytes);
    }
  }

  void post(size_t from, size_t to, const std::string& bytes) {
    if (from == to)
      return;
    const auto& p = between(from, to);
    if (!p.up || parcels_.size() >= most_waiting ||
        (p.loss != 0 && random_() % 100 < p.loss))
      return;
    parcels_.push({clock_type::now() + p.delay, ++number_, to, bytes});
  }

  void deliver() {
    const auto now = clock_type::now();
    while (!parcels_.empty() && parcels_.top().due <= now) {
      const auto& p = parcels_.top();
      // A device that takes no more loses it, as a wire would.
      if (::write(ports_[p.to], p.bytes.data(), p.bytes.size()) < 0)
        ++lost_;
      parcels_.pop();
    }
  }

  bool commands() {
    char text[256];
    const auto n = ::read(STDIN_FILENO, text, sizeof text);
    if (n <= 0)
      return false;
    pending_.append(text, static_cast<size_t>(n));
    for (size_t end; (end = pending_.find('\n')) != std::string::npos;) {
      std::puts(obey(pending_.substr(0, end)) ? "ok" : "error: what?");
      std::fflush(stdout);
      pending_.erase(0, end + 1);
    }
    return true;
  }

  bool obey(const std::string& line) {
    std::istringstream in{line};
    std::string verb, value;
    size_t a = 0, b = 0;
    in >> verb;
    if (verb == "reset") {
      paths_.clear();
      return true;
    }
    if (!(in >> a >> b >> value) || a >= ports_.size() || b >= ports_.size())
      return false;
    auto& p = between(a, b);
    if (verb == "link")
      p.up = value == "up";
    else if (verb == "delay")
      p.delay = std::chrono::milliseconds{std::atoi(value.c_str())};
    else if (verb == "loss")
      p.loss = static_cast<unsigned>(std::atoi(value.c_str()));
    else
      return false;
    return true;
  }

  std::vector<int> ports_;
  std::map<address, size_t> known_;
  std::map<std::pair<size_t, size_t>, path> paths_;
  std::priority_queue<parcel> parcels_;
  uint64_t number_ = 0;
  uint64_t lost_ = 0;
  std::minstd_rand random_{1};
  std::string pending_;
  std::vector<char> buffer_ = std::vector<char>(largest_frame);
};

} // namespace

int main(int count, char** arguments) {
  network net;
  const int ports = count == 3 ? std::atoi(arguments[2]) : 0;
  if (ports < 1 || ports > 64) {
    std::fprintf(stderr, "eventweft_test_network PREFIX COUNT\n");
    return 2;
  }
  if (!net.open(arguments[1], static_cast<size_t>(ports))) {
    std::perror("eventweft_test_network: no TAP device can be made");
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  net.run();
  return 0;
}
