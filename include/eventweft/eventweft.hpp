// SPDX-License-Identifier: Apache-2.0
#pragma once

/// All of the library.
#include <eventweft/app.hpp>
#include <eventweft/config.hpp>
#include <eventweft/errors.hpp>
#include <eventweft/event.hpp>
#include <eventweft/filter.hpp>
#include <eventweft/handler.hpp>
#include <eventweft/reply.hpp>
#include <eventweft/streaming.hpp>
#include <eventweft/task.hpp>
