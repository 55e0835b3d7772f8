// SPDX-License-Identifier: Apache-2.0
// Load with everything coming and going: events from several threads, readers
// over HTTP and within the process, processors that are registered, fail, hang
// and are removed. Tells whether memory comes to rest, for which it watches up
// to four times as long as asked, and whether queues empty; exit code 1 if not.
#include <arpa/inet.h>
#include <eventweft/eventweft.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace eventweft;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

struct counts {
  std::atomic<uint64_t> submitted = 0;
  std::atomic<uint64_t> refused = 0;
  std::atomic<uint64_t> handled = 0;
  std::atomic<uint64_t> failed = 0;
  std::atomic<uint64_t> readers = 0;
  std::atomic<uint64_t> subscriptions = 0;
  std::atomic<uint64_t> processors = 0;
};

double rss_mib() {
  std::ifstream in{"/proc/self/statm"};
  uint64_t all = 0;
  uint64_t resident = 0;
  in >> all >> resident;
  return static_cast<double>(resident) *
         static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1u << 20);
}

/// The number after `"key":` in the figures; -1 if it is not there.
long long figure(const std::string& json, std::string_view key) {
  const auto mark = '"' + std::string{key} + "\":";
  const auto at = json.find(mark);
  return at == std::string::npos ? -1
                                 : std::atoll(json.c_str() + at + mark.size());
}

class churn {
 public:
  churn(App& app, double rate) : app_(app), rate_(rate) {}

  /// Fresh threads run each part until asked to stop.
  void start() {
    for (int i = 0; i < 2; ++i)
      run([this](auto& stop, auto& random) { submit(stop, random); });
    for (int i = 0; i < 2; ++i)
      run([this](auto& stop, auto& random) { read_http(stop, random); });
    run([this](auto& stop, auto& random) { subscribe(stop, random); });
    run([this](auto& stop, auto& random) { process(stop, random); });
  }

  void stop() { threads_.clear(); }

  const counts& seen() const noexcept { return seen_; }

 private:
  using random_bits = std::minstd_rand;

  template <class Part>
  void run(Part part) {
    threads_.emplace_back([part, seed = ++seed_](const std::stop_token& stop) {
      random_bits random{seed};
      part(stop, random);
    });
  }

  void submit(const std::stop_token& stop, random_bits& random) {
    const auto pause = std::chrono::duration_cast<steady_clock::duration>(
        std::chrono::duration<double>(10 * 2 / rate_));
    auto next = steady_clock::now();
    while (!stop.stop_requested()) {
      for (int i = 0; i < 10; ++i) {
        try {
          app_.submit_custom_event(
              {.platform = "churn",
               .event_type = "kind" + std::to_string(random() % 20),
               .payload =
                   R"({"text":")" + std::string(random() % 2'000, 'x') + "\"}",
               .priority = static_cast<Priority>(random() % 4)});
          ++seen_.submitted;
        } catch (const Error&) {
          ++seen_.refused;
        }
      }
      next = std::max(next + pause, steady_clock::now() - 1s);
      std::this_thread::sleep_until(next);
    }
  }

  /// Reads a stream for a moment and hangs up.
  void read_http(const std::stop_token& stop, random_bits& random) {
    const auto address = app_.address();
    const auto port = static_cast<uint16_t>(
        std::atoi(address.substr(address.rfind(':') + 1).c_str()));
    const std::string request =
        "GET /events/stream/all_events?since=earliest HTTP/1.1\r\n"
        "Host: churn\r\nAccept: text/event-stream\r\n\r\n";
    std::vector<char> buffer(64u << 10);
    while (!stop.stop_requested()) {
      const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = htons(port);
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      timeval limit{0, 50'000};
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) ==
              0 &&
          ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
        ++seen_.readers;
        for (auto n = random() % 50; n > 0 && !stop.stop_requested(); --n)
          if (::recv(fd, buffer.data(), buffer.size(), 0) == 0)
            break;
      }
      ::close(fd);
    }
  }

  void subscribe(const std::stop_token& stop, random_bits& random) {
    std::vector<std::string> own;
    while (!stop.stop_requested()) {
      own.push_back(app_.subscribe_to_events(
          "all_events",
          [n = random() % 100](const Event& e) {
            if (e.payload().size() % 100 == n)
              throw std::runtime_error{"on purpose"};
          },
          "churn", {.event_types = {"kind" + std::to_string(random() % 20)}}));
      ++seen_.subscriptions;
      if (own.size() > 8) {
        app_.unsubscribe_from_events(own.front());
        own.erase(own.begin());
      }
      std::this_thread::sleep_for(20ms);
    }
    for (const auto& id : own)
      app_.unsubscribe_from_events(id);
  }

  void process(const std::stop_token& stop, random_bits& random) {
    auto engine = app_.event_engine();
    const auto handler = [this](const Event& e, const Attempt& a) {
      if (a.number == 1 && e.seq() % 50 == 0) {
        ++seen_.failed;
        throw std::runtime_error{"on purpose"};
      }
      if (e.seq() % 5'000 == 0)
        std::this_thread::sleep_for(300ms);
      ++seen_.handled;
    };
    const ProcessorOptions quick{
        .max_retries = 1, .retry_delay = 10ms, .timeout = 200ms};
    while (!stop.stop_requested()) {
      const auto name = "churn-" + std::to_string(random() % 4);
      engine.unregister_processor(name);
      engine.register_processor(
          {.name = name,
           .filter = {.event_types = {"kind" + std::to_string(random() % 20)}},
           .handler = handler,
           .options = quick});
      ++seen_.processors;
      std::this_thread::sleep_for(100ms);
    }
    for (const auto& name : engine.processors())
      engine.unregister_processor(name);
  }

  App& app_;
  double rate_;
  counts seen_;
  unsigned seed_ = 0;
  std::vector<std::jthread> threads_;
};

double median(std::vector<double> xs) {
  std::sort(xs.begin(), xs.end());
  return xs.empty() ? 0 : xs[xs.size() / 2];
}

/// Watches the load for that long; what memory was in its middle, in MiB.
double watch(const App& app, double seconds, double from) {
  constexpr int looks = 20;
  std::vector<double> samples;
  for (int i = 1; i <= looks; ++i) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds / looks));
    samples.push_back(rss_mib());
    if (i % 5 != 0)
      continue;
    const auto f = app.get_event_metrics();
    std::printf("%9.0f %9.1f %10llu %10lld %7lld %7lld\n",
                from + seconds / looks * i, samples.back(),
                static_cast<unsigned long long>(f.events_processed),
                figure(f.json, "in_flight"), figure(f.json, "writer"),
                figure(f.json, "reader"));
    std::fflush(stdout);
  }
  return median(std::move(samples));
}

/// A leak of one event in ten would show as more, in two minutes.
bool grew(double before, double after) {
  return after > before * 1.05 + 4;
}

/// The same figure again and again until it is 0, or too much time has gone.
bool empties(const App& app, std::string_view key) {
  for (int turn = 0; turn < 300; ++turn) {
    if (figure(app.get_event_metrics().json, key) == 0)
      return true;
    std::this_thread::sleep_for(100ms);
  }
  std::printf("FAILED: %s does not become 0\n", std::string{key}.c_str());
  return false;
}

int usage() {
  std::fputs("eventweft_churn [--seconds N] [--rate EVENTS_A_SECOND] "
             "[--store URL]\n",
             stderr);
  return 2;
}

} // namespace

int main(int argc, char** argv) {
  double seconds = 120;
  double rate = 2'000;
  std::string store = "memory:5000";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i];
    if (option == "--seconds")
      seconds = std::atof(argv[i + 1]);
    else if (option == "--rate")
      rate = std::atof(argv[i + 1]);
    else if (option == "--store")
      store = argv[i + 1];
    else
      return usage();
  }
  if (argc % 2 == 0 || seconds <= 0 || rate <= 0)
    return usage();
  try {
    App app{"churn", Config{}
                         .set("server.listen", "127.0.0.1:0")
                         .set("store.url", store)
                         .set("store.spool_directory", "")
                         .set("streaming.ring_events", "2000")};
    app.start();
    churn load{app, rate};
    load.start();
    std::puts("  seconds   RSS MiB     stored  in flight  writer  reader");
    const double third = seconds / 3;
    std::vector<double> rss;
    const auto watch_on = [&] {
      rss.push_back(watch(app, third, third * static_cast<double>(rss.size())));
    };
    // The first third is for buffers and the allocator to find their size.
    for (int i = 0; i < 3; ++i)
      watch_on();
    // They may need longer where the machine is slow; a leak never ends.
    constexpr size_t patience = 12;
    while (grew(rss[rss.size() - 2], rss.back()) && rss.size() < patience)
      watch_on();
    load.stop();
    bool good = true;
    for (const auto* queue : {"in_flight", "writer", "reader"})
      good = empties(app, queue) && good;
    good = empties(app, "active_subscriptions") && good;
    const double before = rss[rss.size() - 2];
    const double after = rss.back();
    const auto& seen = load.seen();
    std::printf("RSS: %.1f MiB in the third before the last, %.1f in the last "
                "(%+.1f%%, %zu in all)\n"
                "%llu events (%llu refused), %llu handled, %llu failed on "
                "purpose,\n%llu readers, %llu subscriptions, %llu processors "
                "came and went\n",
                before, after, (after / before - 1) * 100, rss.size(),
                static_cast<unsigned long long>(seen.submitted),
                static_cast<unsigned long long>(seen.refused),
                static_cast<unsigned long long>(seen.handled),
                static_cast<unsigned long long>(seen.failed),
                static_cast<unsigned long long>(seen.readers),
                static_cast<unsigned long long>(seen.subscriptions),
                static_cast<unsigned long long>(seen.processors));
    if (grew(before, after)) {
      std::puts("FAILED: memory grows");
      good = false;
    }
    if (!app.stop()) {
      std::puts("FAILED: it did not stop in time");
      good = false;
    }
    return good ? 0 : 1;
  } catch (const Error& e) {
    std::fprintf(stderr, "eventweft_churn: %s\n", e.what());
    return 1;
  }
}
