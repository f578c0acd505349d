//! Rules 14 to 16 and 18: a cursor passes no row over, and what an API tells is read once.

mod listings;
mod queries;
