// SPDX-License-Identifier: Apache-2.0
#include "net/outgoing/resolver.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

namespace eventweft::outgoing {

namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

resolver::answer ask_system(const std::string& name) {
  asio::io_context unused;
  tcp::resolver system{unused};
  boost::system::error_code failed;
  const auto found =
      system.resolve(name, "", tcp::resolver::address_configured, failed);
  std::vector<ip_address> out;
  if (!failed)
    for (const auto& entry : found)
      if (const auto a = entry.endpoint().address();
          std::ranges::find(out, a) == out.end())
        out.push_back(a);
  if (out.empty())
    return fail(ec::not_found, "the name \"" + name + "\" has no address" +
                                   (failed ? ": " + failed.message() : ""));
  return out;
}

class system_resolver final : public resolver {
 public:
  system_resolver(size_t threads, size_t max_waiting)
      : max_waiting_(max_waiting), pool_(threads) {}

  ~system_resolver() override {
    stopping_ = true;
    pool_.join();
  }

  void resolve(std::string name, std::function<void(answer)> done) override {
    if (waiting_.fetch_add(1) >= max_waiting_) {
      --waiting_;
      done(fail(ec::overloaded, "too many names are being looked up"));
      return;
    }
    asio::post(pool_, [this, name = std::move(name), done = std::move(done)] {
      auto found = stopping_ ? answer{fail(ec::shutting_down, "stopping")}
                             : ask_system(name);
      --waiting_;
      done(std::move(found));
    });
  }

 private:
  const size_t max_waiting_;
  std::atomic<size_t> waiting_ = 0;
  std::atomic<bool> stopping_ = false;
  asio::thread_pool pool_;
};

} // namespace

std::unique_ptr<resolver> make_system_resolver(size_t threads,
                                               size_t max_waiting) {
  return std::make_unique<system_resolver>(threads, max_waiting);
}

} // namespace eventweft::outgoing
