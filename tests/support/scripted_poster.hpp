// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/outgoing.hpp"
#include "messages/time.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::testing {

/// An endpoint of a few lines: remembers what it was sent, and answers at once
/// or when the test says so. Of one thread.
class scripted_poster final : public outgoing::poster {
 public:
  explicit scripted_poster(std::shared_ptr<const clock> time)
      : time_(std::move(time)) {}

  struct call {
    timestamp at;
    outgoing::request what;
  };

  std::vector<call> calls;
  /// What it answers; 0: nothing until the test calls `answer_all`.
  std::function<int(const call&)> status = [](const call&) { return 200; };
  /// Goes with every answer.
  outgoing::header_list headers;
  size_t most_at_once = 0;

  void post(outgoing::request what,
            std::function<void(outgoing::result)> done) override {
    calls.push_back({time_->now(), std::move(what)});
    const int s = status(calls.back());
    if (s != 0) {
      done(answer(s));
      return;
    }
    held_.push_back(std::move(done));
    most_at_once = std::max(most_at_once, held_.size());
  }

  void check(std::string, std::function<void(expected<void>)> done) override {
    done({});
  }

  size_t held() const noexcept { return held_.size(); }

  void answer_one(int s) {
    auto done = std::move(held_.front());
    held_.pop_front();
    done(answer(s));
  }

  /// Nobody waits for an answer any more.
  void forget() { held_.clear(); }

  std::string header(size_t n, const std::string& name) const {
    for (const auto& [key, value] : calls.at(n).what.headers)
      if (key == name)
        return value;
    return {};
  }

 private:
  outgoing::result answer(int s) const {
    if (s < 0)
      return tl::unexpected<outgoing::failure>{outgoing::failure{
          outgoing::failure_kind::connect, "connection refused", {}}};
    outgoing::response r;
    r.status = s;
    r.headers = headers;
    r.body = "said " + std::to_string(s);
    return r;
  }

  std::shared_ptr<const clock> time_;
  std::deque<std::function<void(outgoing::result)>> held_;
};

} // namespace eventweft::testing
