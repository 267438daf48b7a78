//! What the product does; the only module that sees all the others.
