// SPDX-License-Identifier: Apache-2.0
// A program with a main loop of its own that has the hub inside: no HTTP, no
// signals, no log but where the program wants it. Its parts talk through
// events, and what matters survives in a file.
//
//   ./embedding_host [FILE.db]
#include <eventweft/eventweft.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>

using namespace eventweft;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  try {
    Config config;
    config.serve_http(false)
        .set("store.spool_directory", "")
        .log_to(
            [](LogLevel, std::string_view line) {
              std::fprintf(stderr, "hub: %s\n", std::string{line}.c_str());
            },
            LogLevel::warn);
    if (argc > 1)
      config.set("store.url", std::string{"sqlite:"} + argv[1]);
    App hub{"Embedding host", config};

    // The work: an order is charged, and at last there is a receipt. The first
    // attempt at each fails; the engine tries again.
    std::atomic<int> receipts = 0;
    hub.platform("shop").on("order:placed",
                            [&](const Event& e, const Attempt& attempt) {
                              if (attempt.number == 1)
                                throw std::runtime_error{"the bank is busy"};
                              hub.submit_custom_event(
                                  {.platform = "shop",
                                   .event_type = "order:charged",
                                   .payload = std::string{e.payload()},
                                   .event_id = attempt.idempotency_key});
                            },
                            {.name = "charge", .retry_delay = 20ms});
    hub.platform("shop").on("order:charged", [&](const Event& e) {
      std::printf("receipt for order %s\n",
                  e.text("order").value_or("?").c_str());
      ++receipts;
    });
    hub.start();

    // The program's own loop, with the hub as one of the things it looks at.
    constexpr int orders = 5;
    for (int turn = 0; receipts < orders && turn < 3'000; ++turn) {
      if (turn < orders)
        hub.submit_custom_event(
            {.platform = "shop",
             .event_type = "order:placed",
             .payload = R"({"order":)" + std::to_string(turn) + "}"});
      // … draw a frame, poll a device …
      if (hub.wait(10ms))
        break; // the hub asks to end: `failure` says why
    }
    const auto figures = hub.get_event_metrics();
    hub.cleanup();
    std::printf("%d receipts for %d orders, %lld events\n", receipts.load(),
                orders, static_cast<long long>(figures.head_seq));
    return receipts == orders ? 0 : 1;
  } catch (const Error& e) {
    std::fprintf(stderr, "embedding_host: %s (%s)\n", e.what(),
                 to_string(e.code()));
    return 1;
  }
}
