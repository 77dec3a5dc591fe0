"""Stand-in machines: driver libraries, system trees and environments that the doctor can visit."""
